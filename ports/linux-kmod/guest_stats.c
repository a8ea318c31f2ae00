/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counters of a VM and of a vCPU as files that describe themselves (KVM_GET_STATS_FD).
 *
 * A file is a header, a name, descriptors and values, one behind the other.  It is some hundred
 * bytes and made anew for each read, so a reader that takes all values at once gets them of one
 * moment.  The file keeps its VM alive, and anybody who has it may read it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "guest.h"
#include "guest_own.h"

#define NAME_SIZE 48u

/* KVM's, with the name in it. */
struct descriptor {
	u32 flags;
	s16 exponent;
	u16 size;
	u32 offset;
	u32 bucket_size;
	char name[NAME_SIZE];
};

static_assert(offsetof(struct descriptor, name) == offsetof(struct kvm_stats_desc, name));
static_assert(offsetof(struct descriptor, offset) == offsetof(struct kvm_stats_desc, offset));

#define COUNTER(text) { .flags = KVM_STATS_TYPE_CUMULATIVE, .size = 1, .name = #text }
#define GAUGE(text)   { .flags = KVM_STATS_TYPE_INSTANT, .size = 1, .name = #text }

#define VCPU_COUNTER(name, text) COUNTER(name),
static const struct descriptor vcpu_descriptors[] = { SVM_VCPU_STATS(VCPU_COUNTER) };

static const struct descriptor vm_descriptors[] = {
	GAUGE(vcpus),
	GAUGE(memory_slots),
	COUNTER(memory_changes),
};

#define VALUES_MOST 16u

static_assert(ARRAY_SIZE(vcpu_descriptors) <= VALUES_MOST);
static_assert(ARRAY_SIZE(vm_descriptors) <= VALUES_MOST);
static_assert(sizeof(struct svm_vcpu_stats) == ARRAY_SIZE(vcpu_descriptors) * sizeof(u64));

struct guest_stats {
	struct guest *guest;
	struct guest_vcpu *vcpu; /* NULL: the VM's own. */
	char id[NAME_SIZE];
};

/* What a file of the larger kind holds; of the other one less. */
struct image {
	struct kvm_stats_header header;
	char id[NAME_SIZE];
	u8 rest[VALUES_MOST * (sizeof(struct descriptor) + sizeof(u64))];
};

static void vm_values(struct guest *guest, u64 *values)
{
	u32 i;

	mutex_lock(&guest->lock);
	for (i = 0; i < GUEST_VCPUS; i++)
		values[0] += !!guest->vcpus[i];
	for (i = 0; i < GUEST_SLOTS; i++)
		values[1] += !!guest->memory.slots[i].size;
	mutex_unlock(&guest->lock);
	spin_lock(&guest->memory.lock);
	values[2] = guest->memory.sequence - 1;
	spin_unlock(&guest->memory.lock);
}

static void take_values(const struct guest_stats *stats, u64 *values)
{
	struct svm_vcpu_stats counters;

	if (!stats->vcpu) {
		vm_values(stats->guest, values);
		return;
	}
	svm_vcpu_get_stats(stats->vcpu->vcpu, &counters);
	memcpy(values, &counters, sizeof(counters));
}

static size_t make_image(const struct guest_stats *stats, struct image *image)
{
	const struct descriptor *const from = stats->vcpu ? vcpu_descriptors : vm_descriptors;
	const u32 count = stats->vcpu ? ARRAY_SIZE(vcpu_descriptors) : ARRAY_SIZE(vm_descriptors);
	const size_t size = count * sizeof(*from);
	struct descriptor *const to = (struct descriptor *)image->rest;
	u32 i;

	image->header = (struct kvm_stats_header){
		.name_size = NAME_SIZE,
		.num_desc = count,
		.id_offset = offsetof(struct image, id),
		.desc_offset = offsetof(struct image, rest),
		.data_offset = offsetof(struct image, rest) + size,
	};
	memcpy(image->id, stats->id, sizeof(image->id));
	memcpy(to, from, size);
	for (i = 0; i < count; i++)
		to[i].offset = i * sizeof(u64);
	take_values(stats, (u64 *)(image->rest + size));
	return offsetof(struct image, rest) + size + count * sizeof(u64);
}

static ssize_t read_stats(struct file *file, char __user *user, size_t size, loff_t *offset)
{
	struct image *const image = kzalloc(sizeof(*image), GFP_KERNEL_ACCOUNT);
	ssize_t done;

	if (!image)
		return -ENOMEM;
	done = simple_read_from_buffer(user, size, offset, image,
	                               make_image(file->private_data, image));
	kfree(image);
	return done;
}

static int release_stats(struct inode *inode, struct file *file)
{
	struct guest_stats *const stats = file->private_data;

	guest_put(stats->guest);
	kfree(stats);
	return 0;
}

static const struct file_operations stats_file = {
	.owner = THIS_MODULE,
	.read = read_stats,
	.release = release_stats,
	.llseek = noop_llseek,
};

static int publish_stats(struct guest_stats *stats)
{
	const int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = anon_inode_getfile(stats->vcpu ? "kvm-vcpu-stats" : "kvm-vm-stats", &stats_file,
	                          stats, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;
}

long guest_stats_open(struct guest *guest, struct guest_vcpu *vcpu)
{
	struct guest_stats *const stats = kzalloc(sizeof(*stats), GFP_KERNEL_ACCOUNT);
	int fd;

	if (!stats)
		return -ENOMEM;
	stats->guest = guest_get(guest);
	stats->vcpu = vcpu;
	if (vcpu)
		snprintf(stats->id, sizeof(stats->id), "kvm-%d/vcpu-%u", task_pid_nr(current),
		         svm_vcpu_id(vcpu->vcpu));
	else
		snprintf(stats->id, sizeof(stats->id), "kvm-%d", task_pid_nr(current));
	fd = publish_stats(stats);
	if (fd < 0) {
		guest_put(guest);
		kfree(stats);
	}
	return fd;
}
