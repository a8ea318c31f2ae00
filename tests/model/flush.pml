/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory taken away from a guest that runs: no frame is free before the last processor has
 * forgotten it.  svm_vm_flush() of src/core/vcpu/flush.c, enter() of run.c, the fresh ASID of
 * load.c and asid.c, sections (section.h), the fault of src/core/memory/fault.c and the order of
 * edit.c.
 *
 * One page of a guest whose vCPUs run on whichever CPUs are free, and come back to one where they
 * have been.  A CPU keeps what it has translated, for each vCPU, until that takes a fresh ASID
 * there or flushes.  Somebody takes the page's frame away, again and again, and maps another.  spin
 * tries every interleaving for
 *
 * - a frame that is used after it was freed, by a translation that is kept, by a walk of the
 *   processor or by one of software (use);
 * - a flush that waits for ever: when nothing moves any more, all frames but the last are free.
 *
 * An IPI takes its time, and may arrive twice.  With LOSSY it may never arrive, against the HAL's
 * contract: then the flush waits for the CPU's next tick, and that is all the harm.
 *
 * spin knows no store buffers: what BUG_NO_FENCE is for is told in kick.pml.
 *
 * run.sh builds this model also with one mistake at a time, and expects each to be found.
 */
#ifndef VCPUS
#define VCPUS 2
#endif
#ifndef CPUS
#define CPUS 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef TICKS
#define TICKS 1
#endif
#define NOTHING 0

/* A frame is a number from 1 on; the page has one after the other. */
byte slot = 1;                /* What the memory map says; NOTHING: no memory. */
byte entry;                   /* What the nested tables say. */
byte freed;                   /* This frame and all before it are free. */
byte kept[VCPUS * CPUS];      /* A CPU's translation under a vCPU's present ASID there. */
byte in_guest[VCPUS];         /* CPU + 1 */
byte honoured[VCPUS];         /* vcpu->flush_epoch */
byte last[VCPUS];             /* CPU + 1 where its ASID is from. */
byte epoch = 1;               /* vm->flush_epoch */
byte readers[2];              /* Sections that are open, by phase. */
bit busy[CPUS];               /* It is some vCPU's. */
bit in_flight[CPUS];          /* An IPI has not arrived yet.  Equal ones merge. */
bit tick[CPUS];               /* One was lost: a tick is to come. */
byte ticks = TICKS;           /* That are still to come, or IPIs to arrive twice. */
#ifdef BUG_NO_FENCE
byte buffered[VCPUS];         /* in_guest is on its way to memory. */
#endif

#define KEPT kept[v * CPUS + c]

inline use(frame)
{
	assert(frame == NOTHING || frame > freed)
}

/* --- sections -------------------------------------------------------------------------------- */

/* Which of the two counters a reader takes decides nothing but how long a writer waits. */
inline section_enter()
{
	atomic {
		if
		:: p = 0
		:: p = 1
		fi;
		readers[p]++
	}
}

inline section_wait()
{
	readers[0] == 0;
#ifndef BUG_ONE_COUNTER
	readers[1] == 0
#endif
}

/* --- a vCPU ---------------------------------------------------------------------------------- */

/* The map and the tables are looked at, and what they say is used, within one section. */
inline fault()
{
#ifdef BUG_COUNT_LATE
	s = slot;
	section_enter();
#else
	section_enter();
	s = slot;
#endif
	t = entry;
	atomic {
		use(s);
		use(t);
		if
		:: s != NOTHING && entry == NOTHING -> entry = s
		:: else
		fi
	}
	readers[p]--
}

/* Interrupts go off; an IPI that has arrived by then was taken by the host. */
inline publish()
{
	atomic {
		if
		:: in_flight[c] = 0
		:: tick[c] = 0
		:: skip
		fi;
#ifdef BUG_NO_FENCE
		buffered[v] = c + 1
#else
		in_guest[v] = c + 1
#endif
	}
}

/* VMRUN flushes, or runs with another ASID, before the first access. */
inline honour()
{
	atomic {
		if
#ifndef BUG_NO_FLUSH
		:: seen != honoured[v] -> KEPT = NOTHING
#endif
#ifndef BUG_OLD_ASID
		:: last[v] != c + 1 -> KEPT = NOTHING
#endif
		:: else
		fi;
		last[v] = c + 1;
		honoured[v] = seen;
		seen = 0
	}
}

/* One access, then nothing until an interrupt ends it. */
inline guest()
{
end_guest:
	do
	:: atomic { !accessed && KEPT != NOTHING -> use(KEPT); accessed = 1 }
	:: !accessed && KEPT == NOTHING ->
		t = entry;
		atomic {
			use(t);
			KEPT = t;
			accessed = 1;
			if
			:: t == NOTHING -> is_fault = 1; break
			:: else -> t = 0
			fi
		}
	:: atomic { in_flight[c] -> in_flight[c] = 0; break }
	:: atomic { in_flight[c] && ticks > 0 -> ticks--; break } /* It will come again. */
	:: atomic { tick[c] -> tick[c] = 0; break }
	:: atomic { ticks > 0 -> ticks--; break }
	od
}

proctype runner(byte v)
{
	byte c, seen, s, t;
	bit p, accessed, is_fault;

end_idle:
	do
	:: atomic {
		slot != NOTHING || entry != NOTHING;
#ifdef PINNED
		c = v
#else
		if
		:: !busy[0] -> c = 0
		:: !busy[1] -> c = 1
#if CPUS > 2
		:: !busy[2] -> c = 2
#endif
		fi;
		busy[c] = 1
#endif
	   }
#ifdef BUG_EPOCH_FIRST
		seen = epoch;
#endif
		publish();
#ifndef BUG_EPOCH_FIRST
		seen = epoch;
#endif
		honour();
		guest();
		atomic {
#ifdef BUG_NO_FENCE
			buffered[v] = 0;
#endif
			in_guest[v] = 0;
			accessed = 0
		}
		if
		:: is_fault -> fault()
		:: else
		fi;
		atomic { is_fault = 0; s = 0; t = 0; p = 0; busy[c] = 0; c = 0 }
	od
}

#ifdef BUG_NO_FENCE
proctype store_buffer(byte v)
{
end_buffer:
	do
	:: atomic { buffered[v] != 0 -> in_guest[v] = buffered[v]; buffered[v] = 0 }
	od
}
#endif

/* --- who takes memory away ------------------------------------------------------------------- */

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

#define USES_OLDER(n) (in_guest[n] != 0 && honoured[n] < mine)

/* Where it is, is read once; by the time of the kick it may be elsewhere, and needs none. */
inline kick_older(n)
{
	where = in_guest[n];
	if
	:: where != 0 && USES_OLDER(n) -> cpu_kick(where - 1)
	:: else
	fi
}

inline flush()
{
	atomic { epoch++; mine = epoch }
	kick_older(0);
	kick_older(1);
#if VCPUS > 2
	kick_older(2);
#endif
#ifndef BUG_NO_WAIT
	!USES_OLDER(0);
	!USES_OLDER(1);
#if VCPUS > 2 && !defined(BUG_TWO_OF_THREE)
	!USES_OLDER(2);
#endif
#endif
	mine = 0
}

proctype unmapper()
{
	byte round = 1, mine, where;

	do
	:: round > ROUNDS -> break
	:: else ->
#ifdef BUG_ENTRY_FIRST
		entry = NOTHING;
		slot = NOTHING;
		section_wait();
#else
		slot = NOTHING;
#ifndef BUG_NO_SECTION
		section_wait();
#endif
		entry = NOTHING;
#endif
#ifdef BUG_FREE_FIRST
		freed = round;
#endif
		flush();
#ifndef BUG_NO_SECOND_SECTION
		section_wait();
#endif
		atomic {
			freed = round;
			round++;
			where = 0;
			if
			:: round <= ROUNDS -> slot = round
			:: else
			fi
		}
	od
}

init
{
	byte v;

	atomic {
		do
		:: v == VCPUS -> break
		:: else ->
			honoured[v] = epoch;
			run runner(v);
#ifdef BUG_NO_FENCE
			run store_buffer(v);
#endif
			v++
		od;
		run unmapper()
	}
}
