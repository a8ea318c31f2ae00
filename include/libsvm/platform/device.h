/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_DEVICE_H
#define LIBSVM_PLATFORM_DEVICE_H
/**
 * @file
 * @brief What all PC devices of the library have in common.
 *
 * A device is a struct that its owner keeps, and functions on it.  It allocates nothing, calls
 * nobody but its wires, and knows no vCPU, no thread and no host: so it can be used without the
 * rest of the library, and tested alone.
 *
 * - **Time** is an argument: nanoseconds of the VM's own clock, which begins at 0 and never runs
 *   backwards.  A device that will do something by itself says when (X_deadline(), ::SVM_NEVER if
 *   nothing is planned); whoever owns it calls X_advance() then, or later: what was missed is
 *   caught up.
 * - **Locks** are the owner's: no two calls for one device at a time.  A wire is set inside such a
 *   call, and what it leads to must not call the device again.
 * - **Registers** are read and written by offset and size as the guest does it.  Any offset and any
 *   value is answered: a register that does not exist reads as all ones or 0, as the real one does,
 *   and a write to it does nothing.
 * - **State** is saved into a struct of fixed width members without pointers, and restored whole or
 *   not at all: X_restore() checks every member as if a stranger had made it.
 */
#include <libsvm/error.h>
#include <libsvm/types.h>

/** @addtogroup svm_platform
 *  @{ */

/** A deadline that never comes. */
#define SVM_NEVER UINT64_MAX

/** Nanoseconds in a second. */
#define SVM_NS_PER_S UINT64_C(1000000000)

/**
 * One output of a device, and where it leads: an input of an interrupt controller, or an action of
 * the machine such as its reset.  All members 0: it leads nowhere.
 */
struct svm_wire {
	/** The output is @p level now; called when it changes.  Context A, never recursive. */
	void (*set)(void *arg, unsigned line, bool level);
	void *arg;
	unsigned line; /**< Which of @c arg's inputs. */
};

/** @brief Drive a wire; one that leads nowhere takes it silently. */
static inline void svm_wire_set(const struct svm_wire *wire, bool level)
{
	if (wire->set)
		wire->set(wire->arg, wire->line, level);
}

/**
 * Who is told that the guest has ended an interrupt, for sources that hold an input high until
 * then: a device of the host's, say, that stays masked until its guest has served it.  All members
 * 0: nobody.
 *
 * The controllers that have it (ioapic.h, pic.h) say what counts as an end.  It may come for an
 * input that this source did not drive, and as often as the guest likes.
 */
struct svm_end_notice {
	/**
	 * An interrupt of input @p pin has ended, and the controller has not looked yet whether the
	 * input asks for another.  Within a call for the controller, so under its owner's lock; A.
	 * It may drive inputs of this controller and of others, whose output or messages then go
	 * where they always go, and must call no other function of theirs.
	 */
	void (*ended)(void *arg, unsigned pin);
	void *arg;
};

/** @brief A short pulse: up and down again. */
static inline void svm_wire_pulse(const struct svm_wire *wire)
{
	svm_wire_set(wire, true);
	svm_wire_set(wire, false);
}

/** @} */

#endif
