/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the vCPUs did, as files of debugfs for whoever asks why: libsvm/PROCESS-NUMBER/vcpuN.
 *
 * A file is read beside the vCPU, which it neither stops nor delays: of the library only that is
 * called which any thread may call at any time.  Nor does an open file keep the VM alive.  Its
 * folder goes first when the VM ends; that waits for reads that are under way, and of later ones
 * debugfs lets none come here.  Without debugfs, or without memory for a folder, the VM runs all
 * the same: what debugfs has to say about that is left alone.
 */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include <libsvm/diagnose.h>
#include <libsvm/recorder.h>

#include "guest.h"

static struct dentry *root;

/* Behind the records: their newest is among those that the header says were recorded. */
static void put_header(struct seq_file *seq, const struct svm_vcpu *vcpu, size_t count)
{
	struct svm_recorder_header header;
	char line[SVM_RECORD_LINE];

	svm_recorder_describe(vcpu, &header);
	header.count = (u32)count;
	svm_recorder_text(&header, line, sizeof(line));
	seq_printf(seq, "%s\n", line);
}

static void put_records(struct seq_file *seq, const struct svm_record *records, size_t count)
{
	char line[SVM_RECORD_LINE];
	size_t i;

	for (i = 0; i < count; i++) {
		svm_record_text(&records[i], line, sizeof(line));
		seq_printf(seq, "%s\n", line);
	}
}

static int recorder_show(struct seq_file *seq, void *unused)
{
	const struct guest_vcpu *const vcpu = seq->private;
	struct svm_recorder_header header;
	struct svm_record *records;
	size_t count;

	svm_recorder_describe(vcpu->vcpu, &header);
	records = kvmalloc_array(header.capacity, sizeof(*records), GFP_KERNEL_ACCOUNT);
	if (!records)
		return -ENOMEM;
	count = svm_recorder_read(vcpu->vcpu, 0, records, header.capacity);
	put_header(seq, vcpu->vcpu, count);
	put_records(seq, records, count);
	kvfree(records);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(recorder);

/* What does not fit is asked for again with more room. */
static int stats_show(struct seq_file *seq, void *unused)
{
	const struct guest_vcpu *const vcpu = seq->private;
	char *text;
	const size_t room = seq_get_buf(seq, &text);
	const size_t size = svm_stats_text(vcpu->vcpu, text, room);

	seq_commit(seq, size < room ? (int)size : -1);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int explain_show(struct seq_file *seq, void *unused)
{
	guest_explain_show(seq->private, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(explain);

void guest_debugfs_add_vcpu(struct guest_vcpu *vcpu)
{
	struct dentry *folder;
	char name[16];

	snprintf(name, sizeof(name), "vcpu%u", svm_vcpu_id(vcpu->vcpu));
	folder = debugfs_create_dir(name, vcpu->guest->folder);
	debugfs_create_file("recorder", 0400, folder, vcpu, &recorder_fops);
	debugfs_create_file("stats", 0400, folder, vcpu, &stats_fops);
	debugfs_create_file("explain", 0400, folder, vcpu, &explain_fops);
}

/* One process may make several, and each has a number that no other had. */
void guest_debugfs_add(struct guest *guest)
{
	static atomic64_t count = ATOMIC64_INIT(0);
	char name[40];

	snprintf(name, sizeof(name), "%d-%lld", task_tgid_nr(current),
	         (long long)atomic64_inc_return(&count));
	guest->folder = debugfs_create_dir(name, root);
}

void guest_debugfs_remove(struct guest *guest)
{
	debugfs_remove(guest->folder);
}

void guest_debugfs_start(void)
{
	root = debugfs_create_dir(KBUILD_MODNAME, NULL);
}

void guest_debugfs_stop(void)
{
	debugfs_remove(root);
}
