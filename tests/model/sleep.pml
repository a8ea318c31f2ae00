/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * IPIs between the vCPUs of one guest whose threads sleep: an APIC's IRR and svm_vcpu_notify() on
 * the sender's side; enter(), serve_requests(), still_halted() of src/core/vcpu/run.c and the
 * embedder's sleep on the other.
 *
 * A token goes from vCPU to vCPU, each on a CPU of its own.  Guest 0 spins and leaves for a physical
 * IPI only; the others execute HLT, and their threads sleep until the wake callback.  A physical IPI
 * takes its time, may arrive twice, and with LOSSY may be lost: then the CPU's next tick, which
 * comes sooner or later, has to make good for it.
 *
 * That a vCPU has left its guest is an ordinary store, which others see late (leaving): a sender may
 * take the vCPU for one that is still inside, and wake nobody.  Hence the sleeper's second look,
 * behind the full fence of its announcement.
 *
 * When nothing moves any more, all tokens have arrived (monitor).  run.sh builds this model also
 * with one mistake at a time, and expects each to be found.
 */
#ifndef VCPUS
#define VCPUS 3
#endif

bit irr[VCPUS];       /* The interrupt waits in the APIC. */
bit requests[VCPUS];  /* SVM_REQUEST_EVENTS. */
bit in_guest[VCPUS];
bit leaving[VCPUS];   /* in_guest = 0 is on its way to memory. */
bit in_flight[VCPUS]; /* A physical IPI has not arrived yet. */
bit ticks[VCPUS];     /* One was lost: a tick is to come. */
bit wanted[VCPUS];    /* The wake callback was called. */
byte hops;            /* Tokens that arrived. */

/* A processor's store buffer drains at any time; a fence waits for it. */
proctype store_buffer()
{
	byte n;

end_buffer:
	do
	:: atomic { leaving[0] -> leaving[0] = 0; in_guest[0] = 0 }
	:: atomic { leaving[1] -> leaving[1] = 0; in_guest[1] = 0 }
#if VCPUS > 2
	:: atomic { leaving[2] -> leaving[2] = 0; in_guest[2] = 0 }
#endif
	od
}

inline fence()
{
	!leaving[v]
}

/* As svm_vcpu_request() of vcpu.c. */
inline notify(n)
{
#ifdef BUG_LOOK_FIRST
	inside = in_guest[n];
#endif
#ifdef BUG_IRR_LATE
	requests[n] = 1;
	irr[n] = 1;
#else
	irr[n] = 1;
#ifndef BUG_NO_REQUEST
	requests[n] = 1;
#endif
#endif
#ifndef BUG_LOOK_FIRST
	inside = in_guest[n];
#endif
	if
	:: inside -> physical_ipi(n)
#ifdef BUG_NO_WAKE
	:: else
#else
	:: else -> wanted[n] = 1
#endif
	fi;
	inside = 0
}

inline physical_ipi(n)
{
#ifdef BUG_NO_IPI
	skip
#else
	if
	:: in_flight[n] = 1
#ifdef LOSSY
#ifdef BUG_NO_TICK
	:: skip
#else
	:: ticks[n] = 1
#endif
#endif
	fi
#endif
}

/* It is taken, by guest or host; the same may come again. */
inline arrive()
{
	atomic {
		if
		:: in_flight[v] ->
			if
			:: in_flight[v] = 0
			:: !doubled -> doubled = 1
			fi
		:: ticks[v] -> ticks[v] = 0
		fi
	}
}

inline host_takes()
{
	atomic {
		if
		:: in_flight[v] = 0
		:: skip
		fi
	}
}

/* The guest takes what was injected, and sends the token on. */
inline handle()
{
	irr[v] = 0;
	hops++;
	if
	:: hops < HOPS -> notify((v + 1) % VCPUS)
	:: else
	fi
}

inline leave()
{
	leaving[v] = 1
}

proctype runner(byte v)
{
	bit inside, is_asked, is_injected, doubled;

end_run:
	do
	:: /* Requests, events. */
#ifdef BUG_CLEAR_LATE
		if
		:: requests[v] -> is_injected = irr[v]; requests[v] = 0
		:: else
		fi;
#else
		if
		:: requests[v] -> requests[v] = 0; is_injected = irr[v]
		:: else
		fi;
#endif
		/* Into the guest. */
		atomic { host_takes(); fence(); in_guest[v] = 1 }
#ifndef BUG_NO_RECHECK
		is_asked = requests[v];
#endif
		if
		:: is_asked -> leave()
		:: else ->
			if
			:: is_injected -> leave(); is_injected = 0; handle()
			:: !is_injected && v == 0 ->
				/* It spins. */
end_guest:
				arrive();
				leave()
			:: !is_injected && v != 0 ->
				/* HLT is an exit; the thread announces that it sleeps. */
				leave();
#ifdef BUG_ANNOUNCE_LATE
				inside = irr[v];
				wanted[v] = 0;
#else
				wanted[v] = 0;
#ifndef BUG_NO_FENCE
				fence();
#endif
				inside = irr[v];
#endif
#ifdef BUG_NO_SECOND_LOOK
				inside = 0;
#endif
				if
				:: inside
				:: else ->
end_asleep:
					wanted[v]
				fi;
				inside = 0
			fi
		fi;
		is_asked = 0
	od
}

/* A device sends the first token, behind a request that is for nothing. */
proctype device()
{
	bit inside;

	requests[0] = 1;
	notify(0)
}

/* Nothing can move any more: then every token has arrived. */
proctype monitor()
{
end_monitor:
	timeout;
	assert(hops >= HOPS);
	assert(!irr[0] && !irr[1])
}

init
{
	byte n;

	atomic {
		do
		:: n < VCPUS -> run runner(n); n++
		:: else -> break
		od;
		run store_buffer();
		run device();
		run monitor()
	}
}
