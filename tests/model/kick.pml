/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a vCPU that is about to enter its guest, and whoever wants something of it, find each other:
 * enter() and serve_requests() of src/core/vcpu/run.c with the world switch, svm_vcpu_request() of
 * vcpu.c, svm_vm_flush() of flush.c.
 *
 * Two vCPUs on two CPUs, two requesters.  An IPI takes its time, and is never lost but with LOSSY:
 * then it may come twice, or instead of it the CPU's next tick.  A guest makes one access for each
 * entry and then spins: only an IPI, or a tick, gets it out.  spin tries every interleaving for
 *
 * - lost wake-ups: when nothing moves any more, no request and no work is left (monitor);
 * - stale translations: after svm_vm_flush() has returned, no guest uses a translation that was
 *   made from the tables as they were before (touch);
 * - progress: a request is served, whatever order the scheduler likes (the LTL formula).
 *
 * spin knows no store buffers, and a processor has them: a store is seen by others later than a
 * load that follows it.  Here the one store for which this matters, that of in_guest, may wait in a
 * buffer; the fence of a sequentially consistent store is that it may not.
 *
 * run.sh builds this model also with one mistake at a time, and expects each to be found.
 */
#define VCPUS 2
#define NOTHING 0

bit requests[VCPUS]; /* The sticky word, as a bit. */
bit work[VCPUS];     /* What the request asks to look at. */
bit in_guest[VCPUS];
bit in_flight[VCPUS]; /* An IPI was sent and has not arrived.  Equal ones merge. */
bit tick[VCPUS];      /* One was lost: a tick is to come. */
bit twice = 1;        /* One that arrives may arrive again. */
byte honoured[VCPUS]; /* vcpu->flush_epoch */
byte epoch = 1;       /* vm->flush_epoch */
byte tables = 1;      /* Version of the nested tables. */
byte revoked;         /* Highest version that was changed by a svm_vm_flush() that returned. */
byte tlb[VCPUS];      /* Version from which the kept translation was made. */
byte finished;
#ifdef BUG_NO_FENCE
bit buffered[VCPUS]; /* in_guest = 1 is on its way to memory. */
#endif

/* A guest's access: by the translation that is kept, or by a walk. */
inline touch()
{
	atomic {
		if
		:: tlb[v] == NOTHING -> tlb[v] = tables
		:: else
		fi;
		assert(tlb[v] >= revoked);
		accessed = 1
	}
}

/* CLGI: an IPI that has arrived by then was taken by the host. */
inline clgi()
{
	if
	:: in_flight[v] = 0
#ifdef LOSSY
	:: tick[v] = 0
#endif
	:: skip
	fi
}

inline publish()
{
	atomic {
#ifdef BUG_NO_FENCE
		buffered[v] = 1
#else
		in_guest[v] = 1
#endif
	}
}

inline serve()
{
#ifdef BUG_CLEAR_LATE
	work[v] = 0;
	requests[v] = 0
#else
	requests[v] = 0; /* Clear first: whoever asks from now on is seen by the next look. */
	work[v] = 0
#endif
}

/* The epoch is kept; VMRUN flushes before the first access. */
inline honour()
{
	atomic {
#ifndef BUG_NO_FLUSH
		if
		:: seen != honoured[v] -> tlb[v] = NOTHING
		:: else
		fi;
#endif
		honoured[v] = seen;
		seen = 0
	}
}

proctype runner(byte v)
{
	byte seen;
	bit accessed, is_asked;

end_run:
	do
	:: requests[v] -> serve()
	:: else ->
#ifdef BUG_REQUESTS_FIRST
		is_asked = requests[v];
#endif
#ifdef BUG_EPOCH_FIRST
		seen = epoch;
#endif
		publish();
#ifndef BUG_EPOCH_FIRST
		seen = epoch;
#endif
		honour();
#ifdef BUG_LOOK_BEFORE_CLGI
		is_asked = requests[v];
#endif
		clgi();
#if !defined(BUG_REQUESTS_FIRST) && !defined(BUG_LOOK_BEFORE_CLGI)
		is_asked = requests[v];
#endif
		if
		:: is_asked
		:: else ->
#ifdef BUG_LEAVE_EARLY
			in_guest[v] = 0;
#endif
end_guest:
			do
			:: !accessed -> touch()
			:: atomic { in_flight[v] -> in_flight[v] = 0; break }
#ifdef LOSSY
			:: atomic { in_flight[v] && twice -> twice = 0; break }
			:: atomic { tick[v] -> tick[v] = 0; break }
#endif
			od
		fi;
		atomic {
			accessed = 0;
			is_asked = 0;
			seen = 0;
#ifdef BUG_NO_FENCE
			buffered[v] = 0;
#endif
			in_guest[v] = 0
		}
	od
}

#ifdef BUG_NO_FENCE
proctype store_buffer(byte v)
{
end_buffer:
	do
	:: atomic { buffered[v] -> buffered[v] = 0; in_guest[v] = 1 }
	od
}
#endif

inline cpu_kick(n)
{
#ifdef BUG_NO_KICK
	skip
#else
	if
	:: in_flight[n] = 1
#ifdef LOSSY
#ifdef BUG_NO_TICK
	:: skip
#else
	:: tick[n] = 1
#endif
#endif
	fi
#endif
}

inline request(n)
{
#ifdef BUG_LOOK_FIRST
	inside = in_guest[n];
#endif
	work[n] = 1;
	requests[n] = 1;
#ifndef BUG_LOOK_FIRST
	inside = in_guest[n];
#endif
	if
	:: inside -> cpu_kick(n)
	:: else
	fi
}

/* As svm_vm_flush() asks for each vCPU. */
#define USES_OLDER(n) (in_guest[n] && honoured[n] < mine)

inline kick_older(n)
{
	if
	:: USES_OLDER(n) ->
#ifndef BUG_FLUSH_BY_KICK_ALONE
		requests[n] = 1;
#endif
		cpu_kick(n)
	:: else
	fi
}

inline flush()
{
	atomic { tables++; version = tables } /* An entry is removed. */
	atomic { epoch++; mine = epoch }
	kick_older(0);
	kick_older(1);
#ifndef BUG_NO_WAIT
	!USES_OLDER(0);
	!USES_OLDER(1);
#endif
	atomic {
		if
		:: version > revoked -> revoked = version
		:: else
		fi
	}
}

proctype requester(byte operations)
{
	byte mine, version;
	bit inside;

	do
	:: operations == 0 -> break
	:: operations ->
		operations--;
		if
		:: request(0)
		:: request(1)
		:: flush()
		fi;
		atomic { mine = 0; version = 0; inside = 0 }
	od;
	finished++
}

/* Nothing can move any more: then nothing is owed. */
proctype monitor()
{
end_monitor:
	timeout;
	assert(finished == 2);
	assert(!requests[0] && !requests[1]);
	assert(!work[0] && !work[1])
}

init
{
	atomic {
		honoured[0] = epoch;
		honoured[1] = epoch;
		run runner(0);
		run runner(1);
#ifdef BUG_NO_FENCE
		run store_buffer(0);
		run store_buffer(1);
#endif
		run requester(FIRST);
		run requester(SECOND);
#ifndef PROGRESS
		run monitor();
#endif
		finished = 0
	}
}

#ifdef PROGRESS
ltl served { [] (requests[0] -> <> !requests[0]) }
#endif
