/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The explanation of a vCPU's exit.  In a file of its own, so that a tool that explains dumps links
 * no vCPU.
 */
#include <libsvm/diagnose.h>

size_t svm_explain(const struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                   size_t size)
{
	return svm_explain_vmcb(svm_vcpu_vmcb(vcpu), exit, buffer, size);
}
