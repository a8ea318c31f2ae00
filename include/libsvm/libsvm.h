/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LIBSVM_H
#define LIBSVM_LIBSVM_H
/**
 * @file
 * @brief The whole public interface.
 *
 * @mainpage libsvm
 *
 * A virtual machine monitor for AMD-V as a freestanding C library.  Start with hal.h (what a
 * host provides), then host.h, vm.h, vcpu.h and exit.h in the order in which a program calls
 * them; diagnose.h when something does not work.
 *
 * @defgroup svm_port What a host provides, and SVM on its CPUs
 * @defgroup svm_vm Virtual machines: memory, policies, life
 * @defgroup svm_vcpu Virtual CPUs: state, runs, exits, events
 * @defgroup svm_why Why it does not work: audit, explanation, recorder
 * @defgroup svm_platform Devices of a PC
 * @defgroup svm_boot Images of guests
 * @defgroup svm_base Types, errors, version
 */
#include <libsvm/diagnose.h>
#include <libsvm/error.h>
#include <libsvm/exit.h>
#include <libsvm/exit_codes.h>
#include <libsvm/hal.h>
#include <libsvm/host.h>
#include <libsvm/msrs.h>
#include <libsvm/recorder.h>
#include <libsvm/rules.h>
#include <libsvm/types.h>
#include <libsvm/vcpu.h>
#include <libsvm/version.h>
#include <libsvm/vm.h>
#include <libsvm/vmcb.h>

#endif
