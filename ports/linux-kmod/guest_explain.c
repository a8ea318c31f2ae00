/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Why a run came to a bad end: a line in the kernel's log, and a page in debugfs.
 *
 * Both are made at once, since what they are about does not last: behind a shutdown the vCPU is
 * reset, and user space may mend what could not be emulated.  A guest can come to its end as often
 * as user space lets it, so the log takes a few lines in some seconds, and of pages each vCPU has
 * its last.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include <libsvm/diagnose.h>

#include "guest.h"

#define LINE_SIZE 512u
#define FULL_SIZE 8192u

static const char *explain_line(const struct guest_vcpu *vcpu, char *line)
{
	preempt_disable();
	svm_explain(vcpu->vcpu, &vcpu->exit, line, LINE_SIZE);
	preempt_enable();
	return line;
}

/* NULL: no memory. */
static char *explain_page(struct guest_vcpu *vcpu)
{
	char *const page = kvmalloc(FULL_SIZE, GFP_KERNEL_ACCOUNT);

	if (!page)
		return NULL;
	preempt_disable();
	svm_explain_full(vcpu->vcpu, &vcpu->exit, page, FULL_SIZE);
	preempt_enable();
	return page;
}

static void keep(struct guest_vcpu *vcpu, char *page)
{
	spin_lock(&vcpu->explanation_lock);
	swap(vcpu->explanation, page);
	spin_unlock(&vcpu->explanation_lock);
	kvfree(page);
}

void guest_explain(struct guest_vcpu *vcpu)
{
	char line[LINE_SIZE];

	pr_info_ratelimited("process %d, vCPU %u: %s\n", task_tgid_nr(current),
	                    svm_vcpu_id(vcpu->vcpu), explain_line(vcpu, line));
	keep(vcpu, explain_page(vcpu));
}

void guest_explain_show(struct guest_vcpu *vcpu, struct seq_file *seq)
{
	spin_lock(&vcpu->explanation_lock);
	if (vcpu->explanation)
		seq_puts(seq, vcpu->explanation);
	spin_unlock(&vcpu->explanation_lock);
}

void guest_explain_init(struct guest_vcpu *vcpu)
{
	spin_lock_init(&vcpu->explanation_lock);
}

void guest_explain_fini(struct guest_vcpu *vcpu)
{
	kvfree(vcpu->explanation);
}
