/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Pausing, resetting and resuming a VM whose vCPUs are driven by threads that know nothing of it:
 * svm_vcpu_run() of src/core/vcpu/run.c, and src/core/vm_life.c.
 *
 * Each vCPU has a thread that runs it again and again, and sleeps when it is refused until the wake
 * callback.  A guest leaves for an IPI only.  One more thread pauses, perhaps resets, and resumes.
 * spin tries every interleaving for
 *
 * - a run that goes on behind a pause that has returned, be it with its very last access (touch);
 * - a claim that a reset overwrites, or a VM that runs and says CREATED;
 * - a pause that waits for ever, a thread that nobody wakes: when nothing moves any more, every vCPU
 *   is in its guest (monitor).
 *
 * run.sh builds this model also with one mistake at a time, and expects each to be found.
 */
#ifndef VCPUS
#define VCPUS 2
#endif

mtype = { CREATED, RUNNING, PAUSED, RUNNABLE };

mtype vm = CREATED;
mtype vcpu[VCPUS] = CREATED;
bit requests[VCPUS];  /* SVM_REQUEST_RETURN. */
bit in_guest[VCPUS];
bit in_flight[VCPUS]; /* An IPI has not arrived yet. */
bit woken[VCPUS];     /* The wake callback was called. */
bit quiet;            /* svm_vm_pause() has returned, svm_vm_resume() was not called. */
byte finished;

/* Anything that a run reads or writes, beside the words above. */
inline touch()
{
	assert(!quiet && vm != CREATED)
}

inline guest()
{
	do
	:: atomic { requests[v] -> requests[v] = 0; break }
	:: atomic { !requests[v] -> skip };
		in_guest[v] = 1;
		if
		:: requests[v]
		:: else ->
end_guest:
			atomic { in_flight[v] -> in_flight[v] = 0 }
		fi;
		in_guest[v] = 0
	od
}

/* svm_vm_begin_run(): is_refused. */
inline begin_run()
{
#ifdef BUG_TWO_LOOKS
	if
	:: atomic { vm == CREATED -> vm = RUNNING }
	:: atomic { vm != CREATED -> skip }
	fi;
	is_refused = (vm == PAUSED)
#else
	atomic {
		is_refused = (vm == PAUSED);
		if
		:: vm == CREATED -> vm = RUNNING
		:: else
		fi
	}
#endif
}

proctype runner(byte v)
{
	mtype before;
	bit is_refused;

end_idle:
	do
	:: woken[v] = 0;
		is_refused = (vm == PAUSED); /* The first look. */
#ifdef BUG_ONE_LOOK
		if
		:: !is_refused -> atomic { before = vcpu[v]; vcpu[v] = RUNNING };
			atomic {
				if
				:: vm == CREATED -> vm = RUNNING
				:: else
				fi
			}
		:: else
		fi;
#else
		if
		:: !is_refused ->
			atomic { before = vcpu[v]; vcpu[v] = RUNNING };
			begin_run();
			if
			:: is_refused -> atomic { assert(vcpu[v] == RUNNING); vcpu[v] = before }
			:: else
			fi
		:: else
		fi;
#endif
		if
		:: is_refused ->
end_asleep:
			woken[v]
		:: else ->
			touch();
			guest();
#ifdef BUG_STATE_FIRST
			vcpu[v] = RUNNABLE;
			touch()
#else
			touch();
			vcpu[v] = RUNNABLE
#endif
		fi
	od
}

inline wake(n)
{
#ifndef BUG_NO_WAKE
	woken[n] = 1
#else
	skip
#endif
}

inline kick(n)
{
	requests[n] = 1;
	if
	:: in_guest[n] -> in_flight[n] = 1
	:: else -> wake(n)
	fi
}

inline end_run(n)
{
#ifdef BUG_NO_KICK
	skip
#else
	if
	:: vcpu[n] == RUNNING -> kick(n)
	:: else -> wake(n)
	fi
#endif
}

inline end_runs()
{
	n = 0;
	do
	:: n < VCPUS -> end_run(n); n++
	:: else -> break
	od
}

inline wait_all()
{
	n = 0;
	do
	:: n < VCPUS -> vcpu[n] != RUNNING; n++
	:: else -> break
	od
}

inline pause()
{
#ifdef BUG_KICK_FIRST
	end_runs();
	vm = PAUSED;
#else
	vm = PAUSED;
	end_runs();
#endif
#ifndef BUG_NO_WAIT
	wait_all();
#endif
	quiet = 1
}

inline reset_all()
{
	n = 0;
	do
	:: n < VCPUS ->
#ifdef BUG_RESET_AT_ONCE
		vcpu[n] = CREATED;
#else
		atomic { vcpu[n] != RUNNING -> vcpu[n] = CREATED };
#endif
		n++
	:: else -> break
	od;
	atomic { quiet = 0; vm = CREATED }
}

inline wake_all()
{
	n = 0;
	do
	:: n < VCPUS -> wake(n); n++
	:: else -> break
	od
}

/* The moves exclude each other by the VM's lock, so that one thread is as good as several. */
proctype mover(byte rounds)
{
	byte n;

	do
	:: rounds == 0 -> break
	:: rounds ->
		rounds--;
		pause();
		if
		:: atomic { quiet = 0; vm = RUNNING }
		:: reset_all()
		fi;
		wake_all()
	od;
	finished++
}

/* Nothing can move any more. */
proctype monitor()
{
	byte n;

end_monitor:
	timeout;
	assert(finished == 1);
	do
	:: n < VCPUS -> assert(in_guest[n] && vcpu[n] == RUNNING); n++
	:: else -> break
	od
}

init
{
	byte n;

	atomic {
		do
		:: n < VCPUS -> run runner(n); n++
		:: else -> break
		od;
		run mover(ROUNDS);
		run monitor()
	}
}
