/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A line of a trace has room for a phrase: the port, the address, the direction.  svm_explain()
 * says all of it, with a VMCB that a record does not hold.
 */
#include <inttypes.h>
#include <stdio.h>

#include <libsvm/diagnose.h>
#include <libsvm/exit_codes.h>

#include "exit_text.h"

const char *exit_name(uint32_t code, char text[EXIT_NAME_SIZE])
{
	char buffer[24];
	const char *name;

	if (code - SVM_EXIT_EXCEPTION < 32u) {
		const uint8_t vector = (uint8_t)(code - SVM_EXIT_EXCEPTION);

		name = svm_exception_name(vector);
		if (name[1] != '?')
			snprintf(text, EXIT_NAME_SIZE, "%s", name);
		else
			snprintf(text, EXIT_NAME_SIZE, "exception %u", vector);
		return text;
	}
	name = svm_exit_name(code, buffer);
	if (name)
		snprintf(text, EXIT_NAME_SIZE, "%s", name);
	else
		snprintf(text, EXIT_NAME_SIZE, "code %" PRIX32 "h", code);
	return text;
}

static void port_text(uint64_t info, char text[EXIT_TEXT_SIZE])
{
	const bool in = info & SVM_IOIO_IN;

	snprintf(text, EXIT_TEXT_SIZE, "%s%s%s %u bits %s port %" PRIX64 "h",
	         (info & SVM_IOIO_REP) ? "REP " : "", in ? "IN" : "OUT",
	         (info & SVM_IOIO_STRING) ? "S" : "",
	         (info & SVM_IOIO_SIZE_8)    ? 8u
	         : (info & SVM_IOIO_SIZE_16) ? 16u
	                                     : 32u,
	         in ? "from" : "to", info >> 16 & 0xffff);
}

static void fault_text(uint64_t info, uint64_t gpa, char text[EXIT_TEXT_SIZE])
{
	snprintf(text, EXIT_TEXT_SIZE, "%s of guest-physical %" PRIX64 "h%s%s%s",
	         (info & SVM_NPF_FETCH)   ? "fetch"
	         : (info & SVM_NPF_WRITE) ? "write"
	                                  : "read",
	         gpa, (info & SVM_NPF_PRESENT) ? ", not allowed" : ", not mapped",
	         (info & SVM_NPF_WALK) ? ", by a page walk" : "",
	         (info & SVM_NPF_RESERVED) ? ", reserved bit set" : "");
}

const char *exit_details(const struct svm_record *record, char text[EXIT_TEXT_SIZE])
{
	const uint64_t info = record->exit_info_1;

	text[0] = '\0';
	switch (record->exit_code) {
	case SVM_EXIT_IOIO:
		port_text(info, text);
		break;
	case SVM_EXIT_MSR:
		snprintf(text, EXIT_TEXT_SIZE, "%s", info ? "WRMSR" : "RDMSR");
		break;
	case SVM_EXIT_NPF:
		fault_text(info, record->exit_info_2, text);
		break;
	case SVM_EXIT_EXCEPTION + SVM_VECTOR_PF:
		snprintf(text, EXIT_TEXT_SIZE, "at %" PRIX64 "h, error code %" PRIX64 "h",
		         record->exit_info_2, info);
		break;
	case SVM_EXIT_EXCEPTION + SVM_VECTOR_GP:
	case SVM_EXIT_EXCEPTION + SVM_VECTOR_SS:
	case SVM_EXIT_EXCEPTION + SVM_VECTOR_NP:
		snprintf(text, EXIT_TEXT_SIZE, "error code %" PRIX64 "h", info);
		break;
	case SVM_EXIT_TASK_SWITCH:
		snprintf(text, EXIT_TEXT_SIZE, "to selector %" PRIX64 "h", info & 0xffff);
		break;
	default:
		break;
	}
	return text;
}

const char *exit_event(uint64_t event, char text[EXIT_NAME_SIZE])
{
	const unsigned int vector = (unsigned int)(event & SVM_EVENT_VECTOR);

	switch (svm_bits_get(event, SVM_EVENT_TYPE)) {
	case SVM_EVENT_TYPE_INTR:
		snprintf(text, EXIT_NAME_SIZE, "interrupt %Xh", vector);
		break;
	case SVM_EVENT_TYPE_NMI:
		snprintf(text, EXIT_NAME_SIZE, "NMI");
		break;
	case SVM_EVENT_TYPE_EXCP:
		if (vector < 32)
			return exit_name(SVM_EXIT_EXCEPTION + vector, text);
		snprintf(text, EXIT_NAME_SIZE, "exception %u", vector);
		break;
	case SVM_EVENT_TYPE_SOFT:
		snprintf(text, EXIT_NAME_SIZE, "INT %Xh", vector);
		break;
	default:
		snprintf(text, EXIT_NAME_SIZE, "event of no type, %Xh", vector);
		break;
	}
	return text;
}
