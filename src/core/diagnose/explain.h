/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_DIAGNOSE_EXPLAIN_H
#define SVM_CORE_DIAGNOSE_EXPLAIN_H
/*
 * Pieces of an explanation.  Each adds words to the line; what is not known is left out, never
 * guessed, since a wrong explanation costs more time than none.
 */
#include <libsvm/diagnose.h>

#include "core/diagnose/text.h"

/* EXITINFO1 and 2 in words; adds nothing for exit codes that leave them undefined. */
void svm_explain_raw(struct svm_text *text, uint64_t code, uint64_t info_1, uint64_t info_2);

/* "write by a walk of the guest's page tables, nested page not present": the access behind a nested
 * fault's error code. */
void svm_explain_npf(struct svm_text *text, uint64_t info_1);

/* "#PF" or "exception 2". */
void svm_explain_exception(struct svm_text *text, uint8_t vector);

/* "write, page present, user": a page fault's error code. */
void svm_explain_pf_error(struct svm_text *text, uint64_t error);

/* "interrupt 30h", "#GP": an event in the format of EXITINTINFO. */
void svm_explain_event(struct svm_text *text, uint64_t event);

/* "64-bit mode, CPL 0, at 0008:0001_0000h [0F A2]". */
void svm_explain_where(struct svm_text *text, const struct svm_vmcb *vmcb,
                       const struct svm_exit *exit);

/* "KIND (CODE 7Bh): ...": the whole line, without its end. */
void svm_explain_line(struct svm_text *text, const struct svm_vmcb *vmcb,
                      const struct svm_exit *exit);

/* The page of svm_explain_vmcb_full(): lines, each of them with its end. */
void svm_explain_page(struct svm_text *text, const struct svm_vmcb *vmcb,
                      const struct svm_exit *exit);

/* A name in front of a line, filled up to the width that all names of a page have. */
void svm_explain_label(struct svm_text *text, const char *name);

/* "9007h: P RW US": an entry of a page table. */
void svm_explain_page_entry(struct svm_text *text, uint64_t entry);

/* The lines of the registers that a VMCB holds. */
void svm_explain_registers(struct svm_text *text, const struct svm_vmcb *vmcb);

#endif
