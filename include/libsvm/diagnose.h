/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_DIAGNOSE_H
#define LIBSVM_DIAGNOSE_H
/**
 * @file
 * @brief Finding out why: audit, explanation, self-test.
 */
#include <libsvm/rules.h>
#include <libsvm/vcpu.h>

/** @addtogroup svm_why
 *  @{ */

/** The processor's own state at VMRUN, which \#VMEXIT loads again. */
struct svm_audit_host {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t rip;        /**< Of the instruction behind VMRUN. */
	uint64_t dr7;        /**< As the host wants it; \#VMEXIT disarms it. */
	uint64_t hsave;      /**< VM_HSAVE_PA; here 0 means 0. */
	uint16_t es, cs, ss, ds;
	uint16_t gdt_limit;
	uint8_t cpl;
};

/** What the nested tables say about a guest-physical address. */
struct svm_audit_mapping {
	bool memory;     /**< The guest has memory there, mapped by now or not. */
	bool mapped;     /**< A leaf exists; the two members below are valid. */
	uint64_t rights; /**< AND of the entries of all levels. */
	uint64_t leaf;   /**< The last entry. */
};

/**
 * What an audit needs to know of the processor and the host around a VMCB.
 *
 * Only the first members must be filled; the others are zero where they are not known, and the
 * rules that need them are then not judged.
 */
struct svm_audit_context {
	const struct svm_features *features; /**< NULL: not known. */
	bool host_paging;       /**< Host CR0.PG at VMRUN. */
	bool host_long_mode;    /**< Host EFER.LMA at VMRUN. */
	bool host_interrupts;   /**< Host RFLAGS.IF at VMRUN. */
	bool errors_only;       /**< Leave the warnings out. */
	svm_hpa_t vmcb_hpa;     /**< RAX of VMRUN; 0: not known. */
	svm_hpa_t host_save_hpa; /**< VM_HSAVE_PA; 0: not known. */
	const uint8_t *msrpm;   /**< The map the VMCB names, 8 KiB; NULL: not at hand. */
	const uint8_t *iopm;    /**< The map the VMCB names, 12 KiB; NULL: not at hand. */

	const struct svm_audit_host *host; /**< NULL: not known. */
	/**
	 * The same VMCB as the last \#VMEXIT left it: shows changes that are marked clean and
	 * translations that are stale.  NULL: not known.
	 */
	const struct svm_vmcb *before;
	bool at_rest;        /**< As a monitor leaves it after an exit, not as it enters: a dump. */
	bool moved;          /**< Another CPU ran it last, or it lay in another frame. */
	bool nmi_in_service; /**< The guest has not executed the IRET of an NMI yet. */
	bool debug_switched; /**< Each entry and exit switches DR0 to DR3. */
	/**
	 * Look up the nested tables; NULL: not at hand.  Must not change them.
	 * Called with guest-physical addresses below 2^52.
	 */
	void (*nested)(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping);
	void *nested_arg;
};

/** svm_finding.offset of a rule that is not about a field of the VMCB. */
#define SVM_FINDING_NO_FIELD UINT16_C(0xffff)

/** One broken rule. */
struct svm_finding {
	enum svm_rule rule;
	uint16_t offset; /**< Of the field in the VMCB, or ::SVM_FINDING_NO_FIELD. */
	uint64_t value;  /**< The field; of W08 the MSR. */
	uint64_t bits;   /**< Which of its bits break the rule; 0: not a matter of bits. */
};

/** A rule in words. */
struct svm_rule_info {
	const char *id;      /**< Such as "C02". */
	const char *section; /**< APM vol. 2 section, such as "15.5.1". */
	const char *text;    /**< One sentence. */
	const char *advice;  /**< What to do about it. */
	enum svm_severity severity;
};

/** A rule that an audit cannot see, or not wholly. */
struct svm_rule_unseen {
	const char *id;     /**< Such as "V05"; may also be the id of a rule. */
	const char *text;   /**< What is not seen. */
	const char *reason; /**< Why. */
};

/**
 * @brief Check a VMCB against every rule of VMRUN and every setting known to be deadly.
 *
 * Pure: reads its arguments only, touches no hardware.  Errors come before warnings, so that a
 * small @p findings holds what matters.  A rule can be reported once per field.
 *
 * @param vmcb           Any 4 KiB block.
 * @param context        Around it.
 * @param[out] findings  Room for @p room findings; may be NULL if @p room is 0.
 * @param room           Entries of @p findings.
 * @return Number of findings, which may be more than @p room.
 * @par Context
 * Any.
 * @par Source
 * APM vol. 2, 15.5.1, 15.20, 15.21.10, 15.25.3, 15.25.4, 15.29.4.
 */
size_t svm_audit(const struct svm_vmcb *vmcb, const struct svm_audit_context *context,
                 struct svm_finding *findings, size_t room);

/** @brief Number of errors among findings. Any context. */
size_t svm_finding_errors(const struct svm_finding *findings, size_t count);

/** @brief A rule in words; NULL for a number that is no rule. Any context. */
const struct svm_rule_info *svm_rule_info(enum svm_rule rule);

/** @brief What svm_audit() does not see, by index from 0; NULL behind the last. Any context. */
const struct svm_rule_unseen *svm_rule_unseen(size_t index);

/**
 * @brief One finding as a line of text: id, field, value, bits, sentence, section, advice.
 * @param finding  A result of svm_audit().
 * @param buffer   Where to; always NUL-terminated if @p size is not 0.
 * @param size     Bytes of @p buffer.
 * @return Characters that the whole line takes, without the NUL.
 * @par Context
 * Any.
 */
size_t svm_finding_text(const struct svm_finding *finding, char *buffer, size_t size);

/** Bytes that the longest name of a field takes, with its NUL. */
#define SVM_VMCB_FIELD_NAME_SIZE 40

/**
 * @brief Name of the field of a VMCB that begins at an offset: "EFER", "cs attributes",
 *        "intercept word 3".
 * @param offset       Byte of the VMCB.
 * @param[out] buffer  Where to, if there is such a field.
 * @return @p buffer, or NULL: no field begins there.
 * @par Context
 * Any.
 */
const char *svm_vmcb_field_name(uint16_t offset, char buffer[SVM_VMCB_FIELD_NAME_SIZE]);

/** @brief Name of an exit code, such as "IOIO" or "CR4_WRITE"; "INVALID"; NULL if unknown.
 *         Any context. */
const char *svm_exit_name(uint64_t exit_code, char buffer[24]);
/** @brief What an exit code means, a short phrase; NULL if unknown. Any context. */
const char *svm_exit_text(uint64_t exit_code);
/** @brief Name of a kind of exit, such as "NPT_FAULT". Any context. */
const char *svm_exit_kind_name(enum svm_exit_kind kind);
/** @brief Mnemonic of an exception, such as "\#GP"; "#?" for a vector without one. Any context. */
const char *svm_exception_name(uint8_t vector);
/** @brief Name of an MSR of msrs.h; NULL if not in the table. Any context. */
const char *svm_msr_name(uint32_t msr);

/**
 * @brief An exit in words: one line, what happened, where, and what it usually means.
 * @param vcpu    The vCPU that exited.
 * @param exit    Its exit.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer.
 * @return Characters that the whole text takes, without the NUL.
 * @par Context
 * A.
 */
size_t svm_explain(const struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                   size_t size);

/**
 * @brief As svm_explain(), from a VMCB alone: for a dump, or a vCPU of another library.
 *
 * Both may hold anything; no pointer in them is followed.
 *
 * @param vmcb    The VMCB after the exit.
 * @param exit    The exit; of @c kind SVM_EXIT_KIND_RAW, only @c raw and @c rip need be filled.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer.
 * @return Characters that the whole text takes, without the NUL.
 * @par Context
 * Any.
 */
size_t svm_explain_vmcb(const struct svm_vmcb *vmcb, const struct svm_exit *exit, char *buffer,
                        size_t size);

/**
 * @brief What svm_vcpu_get_silence() says, and what it usually means: one line.
 *
 * Of the VMCB of a vCPU that is in its guest, only what the guest cannot change is read.
 *
 * @param vcpu    Any.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer.
 * @return Characters that the whole text takes, without the NUL.
 * @par Context
 * Any thread, I.
 */
size_t svm_explain_silence(const struct svm_vcpu *vcpu, char *buffer, size_t size);

/**
 * @brief An exit as a page of text: the line of svm_explain(), EXITINFO and events in words,
 *        registers with their flags by name, segments, what waits, the guest's and the nested page
 *        tables level by level for the address that matters, and the audit's findings.
 *
 * The address is the faulting one where there is one, else RIP.  Reads guest memory and changes
 * none of it, no table and no register.
 *
 * @param vcpu    The vCPU that exited; not running.
 * @param exit    Its exit.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer; 8 KiB are enough for what is not made to be long.
 * @return Characters that the whole text takes, without the NUL.
 * @par Context
 * A, by the thread that drives the vCPU.
 */
size_t svm_explain_full(struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                        size_t size);

/** @brief The part of svm_explain_full() that a VMCB alone tells.  As svm_explain_vmcb(). */
size_t svm_explain_vmcb_full(const struct svm_vmcb *vmcb, const struct svm_exit *exit,
                             char *buffer, size_t size);

/**
 * @brief A vCPU's counters and its exits by code, in lines: NAME VALUE for each counter, then
 *        @c exit NAME @c count N for each code that came, and of timed ones
 *        @c timed N @c cycles N @c log2 BUCKET:N ...
 *
 * Names are those of ::SVM_VCPU_STATS and svm_exit_name(), and stay.
 *
 * @param vcpu    Any, running or not.
 * @param buffer  Where to; always NUL-terminated if @p size is not 0.
 * @param size    Bytes of @p buffer.
 * @return Characters that the whole text takes, without the NUL.
 * @par Context
 * Any thread.
 */
size_t svm_stats_text(const struct svm_vcpu *vcpu, char *buffer, size_t size);

/** @brief The same as one JSON object, its exits an array @c exits. As svm_stats_text(). */
size_t svm_stats_json(const struct svm_vcpu *vcpu, char *buffer, size_t size);

/** Verdict of one rung of the self-test ladder. */
struct svm_selftest_result {
	const char *rung;        /**< Short stable name, such as "exit.registers". */
	const char *text;        /**< What the rung proves, a sentence. */
	const char *explanation; /**< On failure: what that usually means. */
	bool passed;
	bool skipped;            /**< This host or processor cannot show it. */
	uint64_t expected, observed; /**< The values that decided. */
};

/**
 * @brief Climb the ladder: enable, enter, exit, registers, GIF, host interrupt, nested fault,
 *        permission maps, injection.
 *
 * Builds a VM of its own from a few frames and runs tiny guests in it; leaves nothing behind.
 *
 * @param host    A host whose present CPU is online.
 * @param report  Called for each rung in order; may be NULL.
 * @param arg     Passed to @p report.
 * @return Number of rungs that failed, or a negative error if the ladder could not be set up.
 * @par Context
 * T, pinned to one CPU, interrupts on.
 */
int svm_selftest(struct svm_host *host,
                 void (*report)(void *arg, const struct svm_selftest_result *result), void *arg);

/** @} */

#endif
