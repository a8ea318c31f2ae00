/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_VM_H
#define LIBSVM_VM_H
/**
 * @file
 * @brief A virtual machine: its memory map, its permission maps, what CPUID and MSRs tell it.
 *
 * Guest memory belongs to the embedder.  A *slot* says where a range of guest-physical addresses
 * is found; the library owns only the nested tables, which it builds on the first touch or ahead.
 * Everything that reads or writes guest memory goes through the same slots, under the same
 * protection, and marks what it wrote dirty.
 *
 * Unless a call says otherwise: context T; calls on one VM may run at the same time on several
 * CPUs and beside running vCPUs, the library serialises them with the HAL's mutex.
 */
#include <libsvm/host.h>

/** @addtogroup svm_vm
 *  @{ */

/** A virtual machine; opaque. */
struct svm_vm;

/* Rights of a mapping.  READ is implied by the others. */
#define SVM_PROT_READ    1u
#define SVM_PROT_WRITE   2u
#define SVM_PROT_EXECUTE 4u
#define SVM_PROT_ALL     7u

/** Memory type of a mapping as the nested tables state it; combines with the guest's own. */
enum svm_memory_type {
	SVM_MEMORY_WB, /**< Write-back: RAM. */
	SVM_MEMORY_WT, /**< Write-through. */
	SVM_MEMORY_UC_MINUS, /**< Uncached, unless an MTRR says write-combining. */
	SVM_MEMORY_UC, /**< Uncached: device registers handed to the guest. */
};

/** Answer of a resolve callback. */
enum svm_resolve_result {
	SVM_RESOLVE_MAPPED, /**< *page is filled. */
	SVM_RESOLVE_AGAIN,  /**< Not now: the run returns NPT_FAULT, the port pages in. */
	SVM_RESOLVE_ABSENT, /**< Nothing there: as if no slot covered the address. */
};

/** What a resolve callback says of one address. */
struct svm_resolved_page {
	svm_hpa_t hpa; /**< Host address of the first byte of the page that holds the gpa. */
	uint64_t size; /**< 4096, 2 MiB or 1 GiB; gpa and hpa are equal modulo it. */
	uint32_t prot; /**< SVM_PROT_*. */
};

/**
 * @brief Find the page behind a guest-physical address.
 *
 * Context A: does not sleep.  It must answer AGAIN for a range between
 * svm_vm_invalidate_begin() and _end(), or answer so that the library may discard it.
 *
 * It must not wait for a lock under which svm_vm_invalidate_begin() or another call that changes
 * the memory map is made: those wait until no callback is running.  It answers AGAIN instead.
 * Another frame or fewer rights than before for the same page need an invalidation first.
 *
 * @param arg        svm_slot.resolve_arg.
 * @param gpa        The address touched.
 * @param access     OR of SVM_PROT_* that the touch needs.
 * @param[out] page  Filled for ::SVM_RESOLVE_MAPPED.
 */
typedef enum svm_resolve_result (*svm_resolve_fn)(void *arg, svm_gpa_t gpa, uint32_t access,
                                                  struct svm_resolved_page *page);

/** Where a slot's memory is. */
enum svm_slot_kind {
	SVM_SLOT_RANGE,   /**< Physically contiguous at hpa. */
	SVM_SLOT_FRAMES,  /**< frames[i] is the hpa of page i; the array outlives the slot. */
	SVM_SLOT_RESOLVE, /**< The resolve callback knows. */
};

/**
 * One range of guest-physical memory.
 *
 * A touch of one page may translate neighbours too, where nobody has to be asked for what is behind
 * them: in a RANGE or FRAMES slot, and within a resolved page.  So another frame for a page needs
 * svm_vm_invalidate_begin() first, whether the guest has touched it or not.
 */
struct svm_slot {
	svm_gpa_t gpa; /**< First byte; multiple of 4096. */
	uint64_t size; /**< Bytes; non-zero multiple of 4096; gpa + size does not wrap. */
	uint32_t prot; /**< Most that the guest may do: SVM_PROT_*, READ among them. */
	enum svm_memory_type memory_type;
	enum svm_slot_kind kind;
	svm_hpa_t hpa;           /**< RANGE. */
	const svm_hpa_t *frames; /**< FRAMES: size / 4096 entries. */
	svm_resolve_fn resolve;  /**< RESOLVE. */
	void *resolve_arg;       /**< RESOLVE. */
};

/** Most slots of a VM. */
#define SVM_SLOT_MAX 64u

struct svm_vcpu;
struct svm_exit;

/**
 * A guest does not get on: @p exit is LOOP or SILENT.
 *
 * True: the guest shall go on, and the detector begins anew.  False: svm_vcpu_run() returns
 * @p exit.  Context A, the vCPU's thread, inside svm_vcpu_run(): svm_explain() may be called.
 */
typedef bool (*svm_stuck_fn)(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit);

/**
 * Whether a guest is left at once behind each injected interrupt, before its handler's first
 * instruction.  QEMU's TCG may deliver the interrupt again, wherever the guest is then, as long as
 * there was no exit (docs/differences.md).
 */
enum svm_exit_after_interrupt {
	SVM_EXIT_AFTER_IF_NEEDED, /**< Where svm_features.is_tcg says so. */
	SVM_EXIT_AFTER_ALWAYS,    /**< On any processor. */
	SVM_EXIT_AFTER_NEVER,     /**< A guest under TCG may fail; for counting exits. */
};

/** What a VM is made with; all zero is a good default. */
struct svm_vm_config {
	uint32_t vcpu_max;      /**< Highest number of vCPUs; 0 means 1; at most ::SVM_VCPU_MAX. */
	uint32_t npt_levels;    /**< 4, or 5 on a host that runs with CR4.LA57; 0: what it needs. */
	uint32_t table_reserve; /**< Frames kept for tables; 0: as many as one touch may take, 3
	                         * with 4 levels. See svm_vm_reserve(). */
	uint32_t recorder_slots; /**< Of each vCPU's flight recorder, 64 bytes each: a power of two
	                          * from 2 to ::SVM_RECORDER_SLOT_MAX; 0 means 64. */
	uint64_t loop_limit;     /**< Of each new vCPU; see svm_vcpu_set_loop_limit(). */
	uint32_t silence_ms;     /**< Exit SILENT when a vCPU was so long in its guest without an
	                          * exit but for the host's interrupts; 0: never. */
	svm_stuck_fn on_stuck;   /**< Told of LOOP and SILENT; NULL: svm_vcpu_run() returns them. */
	void *on_stuck_arg;      /**< Its first argument. */
	bool no_huge_pages;     /**< Use 4 KiB leaves only. */
	bool smi_passthrough;   /**< Do not intercept SMI: for hosts whose ports raise SMIs. */
	enum svm_exit_after_interrupt exit_after_interrupt; /**< Settled by svm_vm_create(). */
	bool no_prepared_cpuid; /**< Start with an empty CPUID table, not svm_cpuid_default(). */
};

/** Most slots of a vCPU's flight recorder. */
#define SVM_RECORDER_SLOT_MAX 65536u

/** Most vCPUs of a VM. */
#define SVM_VCPU_MAX 256u

/**
 * States of a VM and the moves between them: S(name, text), T(from, to, why).
 * The code, its refusals and the picture in the documentation come from this table.
 */
#define SVM_VM_STATES(S, T)                                                                        \
	S(CREATED, "no vCPU has run since creation or reset")                                      \
	S(RUNNING, "its vCPUs may run")                                                            \
	S(PAUSED, "no vCPU runs until a resume")                                                   \
	S(STOPPED, "ended: no vCPU runs until a reset")                                            \
	S(DEAD, "the library found an inconsistency; no vCPU runs any more")                       \
	T(CREATED, RUNNING, "first run of a vCPU")                                                 \
	T(CREATED, PAUSED, "pause")                                                                \
	T(CREATED, STOPPED, "stop")                                                                \
	T(CREATED, DEAD, "inconsistency")                                                          \
	T(RUNNING, PAUSED, "pause")                                                                \
	T(RUNNING, STOPPED, "stop")                                                                \
	T(RUNNING, DEAD, "inconsistency")                                                          \
	T(PAUSED, CREATED, "reset")                                                                \
	T(PAUSED, RUNNING, "resume")                                                               \
	T(PAUSED, STOPPED, "stop")                                                                 \
	T(PAUSED, DEAD, "inconsistency")                                                           \
	T(STOPPED, CREATED, "reset")                                                               \
	T(STOPPED, DEAD, "inconsistency")

/** States of a VM. */
enum svm_vm_state {
#define SVM_VM_STATE_ENUM(name, text) SVM_VM_##name,
#define SVM_VM_STATE_SKIP(from, to, why)
	SVM_VM_STATES(SVM_VM_STATE_ENUM, SVM_VM_STATE_SKIP)
#undef SVM_VM_STATE_ENUM
#undef SVM_VM_STATE_SKIP
	SVM_VM_STATE_COUNT,
};

/** @brief Name of a state, such as "PAUSED". Any context. */
const char *svm_vm_state_name(enum svm_vm_state state);

/** @brief Whether the table of states allows the move. Any context. */
bool svm_vm_state_allowed(enum svm_vm_state from, enum svm_vm_state to);

/**
 * @brief Create a VM without memory and without vCPUs.
 *
 * @param host      A host with at least one CPU online.
 * @param config    How; NULL means all defaults.
 * @param[out] vm   The VM, on success.
 * @retval 0                    Created.
 * @retval SVM_ERR_INVAL        A value of @p config is out of its range.
 * @retval SVM_ERR_NOMEM        The HAL had no frame; nothing is left behind.
 * @retval SVM_ERR_CPU_OFFLINE  No CPU is online.
 * @retval SVM_ERR_NOSUPPORT    The host's processors walk another number of levels.
 */
SVM_MUST_CHECK int svm_vm_create(struct svm_host *host, const struct svm_vm_config *config,
                                 struct svm_vm **vm);

/**
 * @brief Destroy a VM: its tables, its maps, all that it took from the HAL but guest memory.
 * @param vm  A VM without vCPUs.
 * @retval 0             Gone.
 * @retval SVM_ERR_BUSY  A vCPU exists.
 */
SVM_MUST_CHECK int svm_vm_destroy(struct svm_vm *vm);

/** @name Life
 * These calls exclude each other and end a run from outside, so each is for a thread that drives
 * no vCPU of the VM at this moment, and under no lock that such a thread may wait for inside
 * svm_vcpu_run(), be it in a callback.  A refused one tells svm_hal.log, level DEBUG, both states.
 * Each calls the wake callback of every vCPU: whoever waits for one looks at the state again.
 */
/** @{ */

/** @brief The present state. Any thread, any context; a snapshot. */
enum svm_vm_state svm_vm_state(const struct svm_vm *vm);

/**
 * @brief Keep every vCPU out of its guest until svm_vm_resume().
 *
 * When it returns no vCPU of the VM is inside svm_vcpu_run(), what the runs did is seen by the
 * caller, and further runs are refused with ::SVM_ERR_STATE.  A run that was going on has returned
 * what it had to say, or REQUEST.  Between the two calls the state of vCPUs and memory stands still
 * but for what the embedder does; time does not: the guest's TSC counts on, and its clocks find
 * out when it goes on.
 *
 * @retval 0              PAUSED.
 * @retval SVM_ERR_STATE  It was neither CREATED nor RUNNING; nothing happened.
 * @par Context
 * T.  Waits for the runs that it ends, as long as the longest callback of the embedder in them.
 */
SVM_MUST_CHECK int svm_vm_pause(struct svm_vm *vm);

/**
 * @brief Let the vCPUs of a paused VM run again.
 * @retval 0              RUNNING; the embedder's threads call svm_vcpu_run() as before.
 * @retval SVM_ERR_STATE  It was not PAUSED; nothing happened.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_vm_resume(struct svm_vm *vm);

/**
 * @brief As svm_vm_pause(), but for good: only a reset or the end follows.
 * @retval 0              STOPPED.
 * @retval SVM_ERR_STATE  It was STOPPED or DEAD; nothing happened.
 * @par Context
 * T.  Waits as svm_vm_pause().
 */
SVM_MUST_CHECK int svm_vm_stop(struct svm_vm *vm);

/**
 * @brief Back to CREATED, with each vCPU as svm_vcpu_reset() leaves it.
 *
 * Memory, its map, policies and the CPUID table stay, the latter open for svm_vm_set_cpuid().
 * Devices are not the core's.  Guests expect all processors but the first to wait for a start-up
 * IPI: svm_vcpu_init_ipi(), as after creation.
 *
 * @param vm  CREATED (it is PAUSED meanwhile), PAUSED or STOPPED; none of its vCPUs is used by
 *            another thread but for svm_vcpu_run(), which refuses.
 * @retval 0              CREATED.
 * @retval SVM_ERR_STATE  It is RUNNING or DEAD, or one of its vCPUs is DEAD or loaded on another
 *                        CPU; nothing happened.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_vm_reset(struct svm_vm *vm);
/** @} */

/** @name Memory map */
/** @{ */

/**
 * @brief Add a slot.  All or nothing; translated on first touch.
 * @param vm    The VM.
 * @param slot  Copied.
 * @retval 0              A vCPU sees it from its next touch on.
 * @retval SVM_ERR_INVAL  A member is not of its shape.
 * @retval SVM_ERR_RANGE  gpa or hpa goes beyond what the nested tables or MAXPHYADDR reach.
 * @retval SVM_ERR_EXIST  A slot covers part of the range already.
 * @retval SVM_ERR_FORBIDDEN  svm_hal.may_map said no.
 * @retval SVM_ERR_NOMEM  ::SVM_SLOT_MAX reached, or no frame for the new slot table.
 */
SVM_MUST_CHECK int svm_vm_slot_add(struct svm_vm *vm, const struct svm_slot *slot);

/**
 * @brief Remove the slot that begins at an address.
 *
 * When it returns no CPU can reach the slot's memory, and the embedder may reuse it.
 *
 * @retval 0              Removed.
 * @retval SVM_ERR_NOENT  No slot begins at @p gpa.
 * @retval SVM_ERR_NOMEM  No frame for the new slot table; nothing changed.
 */
SVM_MUST_CHECK int svm_vm_slot_remove(struct svm_vm *vm, svm_gpa_t gpa);

/**
 * @brief Map contiguous host memory: a RANGE slot whose tables are built now.
 *
 * All or nothing: on error the guest's view is what it was.
 *
 * @param vm    The VM.
 * @param gpa   First guest-physical byte; multiple of 4096.
 * @param hpa   First host-physical byte; multiple of 4096.
 * @param size  Bytes; non-zero multiple of 4096; gpa + size does not wrap.
 * @param prot  OR of SVM_PROT_*, SVM_PROT_READ among them.
 * @retval 0              Mapped.
 * @retval SVM_ERR_INVAL, SVM_ERR_RANGE, SVM_ERR_EXIST, SVM_ERR_FORBIDDEN, SVM_ERR_NOMEM  As
 *         svm_vm_slot_add().
 * @par Source
 * APM vol. 2, 15.25.5.
 */
SVM_MUST_CHECK int svm_vm_map(struct svm_vm *vm, svm_gpa_t gpa, svm_hpa_t hpa, uint64_t size,
                              uint32_t prot);

/**
 * @brief Build the tables of a range ahead of the first touch, with the largest leaves possible.
 * @param vm    The VM.
 * @param gpa   First byte; multiple of 4096.
 * @param size  Bytes; multiple of 4096.
 * @retval 0              Every page of the range that a RANGE or FRAMES slot covers is mapped.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_NOENT  No slot covers part of the range.
 * @retval SVM_ERR_NOMEM  No frame for a table; what was built stays.
 */
SVM_MUST_CHECK int svm_vm_populate(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size);

/**
 * @brief Take a range out of the map, cutting slots where needed.
 *
 * When it returns no CPU can reach the memory.  A large leaf that is only partly unmapped is
 * split first.
 *
 * @retval 0              Nothing is mapped in the range now.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_NOMEM  No frame for a split or a slot table; nothing changed.
 */
SVM_MUST_CHECK int svm_vm_unmap(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size);

/**
 * @brief Change the rights of a range that lies in slots.
 *
 * When it returns no CPU uses rights that were taken away.
 *
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_NOENT  No slot covers part of the range.
 * @retval SVM_ERR_NOMEM  No frame for a split or a slot table; nothing changed.
 */
SVM_MUST_CHECK int svm_vm_protect(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size, uint32_t prot);

/** What the nested tables hold for one address. */
struct svm_mapping {
	svm_hpa_t hpa;  /**< Host address of exactly the byte asked for. */
	uint64_t size;  /**< Bytes of the leaf: 4096, 2 MiB, 1 GiB. */
	uint32_t prot;  /**< Rights in the tables now; dirty logging may withhold WRITE. */
	bool accessed;  /**< A bit of the leaf. */
	bool dirty;     /**< D bit of the leaf. */
	enum svm_memory_type memory_type;
};

/**
 * @brief Look a guest-physical address up in the nested tables (not in the slots).
 * @retval 0              Mapped; @p mapping is filled.
 * @retval SVM_ERR_NOENT  Not translated (yet).
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_vm_query(struct svm_vm *vm, svm_gpa_t gpa, struct svm_mapping *mapping);

/**
 * @brief Fill the reserve of table frames from the HAL.
 *
 * A nested fault takes table frames from this reserve only, since it cannot allocate.  When it
 * runs dry the run returns SVM_EXIT_KIND_NEED_MEMORY: call this and run again.
 *
 * @param vm      The VM.
 * @param frames  Wanted number in reserve; 0 means that of the configuration.
 * @retval 0              The reserve holds at least that.
 * @retval SVM_ERR_NOMEM  The HAL had fewer; what it had is in the reserve.
 */
SVM_MUST_CHECK int svm_vm_reserve(struct svm_vm *vm, uint32_t frames);

/**
 * @brief The host is about to change what is behind a range of a RESOLVE slot.
 *
 * Removes the translations; when it returns no CPU can use an old one.  Until the matching
 * svm_vm_invalidate_end() touches of the range return NPT_FAULT with reason AGAIN.  Pairs nest
 * and may overlap.
 *
 * @param vm    The VM.
 * @param gpa   First byte; any alignment.
 * @param size  Bytes; 0 means nothing to do (the pair still has to match).
 * @par Context
 * T; does not allocate and cannot fail.
 */
void svm_vm_invalidate_begin(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size);

/** @brief The change announced by svm_vm_invalidate_begin() is over. Same arguments. T. */
void svm_vm_invalidate_end(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size);

/**
 * @brief Has the guest used memory since it was last made old?
 *
 * For a host that looks for pages to take away.  What says so are the accessed bits of the nested
 * tables.  One of a large leaf stands for all that the leaf maps, and what is not mapped is not
 * young.  Reads and writes by the library leave no mark.
 *
 * @param vm    The VM.
 * @param gpa   First byte; any alignment.
 * @param size  Bytes.
 * @return Whether any page that the range touches was used.
 * @par Context
 * A, any thread, under any lock of the host's: takes no lock, waits for nobody.
 * @par Source
 * APM vol. 2, 5.4.2 (accessed bits), 15.25.
 */
bool svm_vm_test_young(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size);

/**
 * @brief Make memory old, and tell if it was young; otherwise as svm_vm_test_young().
 *
 * A processor that holds a translation sets no bit for it, and memory in constant use may stay old
 * for as long as the guest is not interrupted by a flush.
 *
 * @param vm     The VM.
 * @param gpa    First byte; any alignment.
 * @param size   Bytes.
 * @param flush  If any was young, have each vCPU forget its translations before its next entry; one
 *               that is in the guest now is not made to leave it for that.
 * @return Whether any page that the range touches was used.
 */
bool svm_vm_clear_young(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size, bool flush);

/** How a dirty log finds written pages. */
enum svm_dirty_mode {
	SVM_DIRTY_OFF,
	SVM_DIRTY_PROTECT, /**< Write-protect 4 KiB leaves; the first write faults. */
	SVM_DIRTY_BITS,    /**< Read and clear the D bits; no faults, a flush for each harvest. */
};

/**
 * @brief Start or stop logging writes to the slot that begins at @p gpa, also while it runs.
 *
 * Starting clears the log, so every page counts as clean; large leaves are split on the way.
 *
 * @retval 0              The mode is in force on every CPU.
 * @retval SVM_ERR_NOENT  No slot begins there.
 * @retval SVM_ERR_NOMEM  No frame for the bitmap or a split; the old mode is in force.
 */
SVM_MUST_CHECK int svm_vm_dirty_log(struct svm_vm *vm, svm_gpa_t gpa, enum svm_dirty_mode mode);

/**
 * @brief Fetch and clear the log of a part of a slot.
 *
 * A page written by a vCPU or by the library at any time before the call, and not reported
 * since, is reported by this one or a later one: none is lost.
 *
 * @param vm      The VM.
 * @param gpa     First byte; multiple of 4096.
 * @param count   Pages.
 * @param bitmap  Bit i of byte i / 8: page i was written. (count + 7) / 8 bytes, overwritten.
 * @retval 0              Done.
 * @retval SVM_ERR_NOENT  The range is not within one slot that logs.
 * @retval SVM_ERR_INVAL  Shape.
 */
SVM_MUST_CHECK int svm_vm_dirty_fetch(struct svm_vm *vm, svm_gpa_t gpa, uint64_t count,
                                      uint8_t *bitmap);

/**
 * @brief Put pages back into the log ("set dirty again"), e.g. when sending them failed.
 * @retval 0              Done.
 * @retval SVM_ERR_NOENT  The range is not within one slot that logs.
 */
SVM_MUST_CHECK int svm_vm_dirty_mark(struct svm_vm *vm, svm_gpa_t gpa, uint64_t count);

/**
 * @brief Read guest-physical memory.
 * @param vm         The VM.
 * @param gpa        First byte; any alignment.
 * @param data       Where to.
 * @param size       Bytes.
 * @param[out] done  Bytes read, also on error; may be NULL.
 * @retval 0              All of it.
 * @retval SVM_ERR_FAULT  The byte at gpa + *done is in no slot or not readable.
 * @retval SVM_ERR_AGAIN  A resolve callback cannot serve it now.
 * @par Context
 * A.
 */
SVM_MUST_CHECK int svm_vm_read(struct svm_vm *vm, svm_gpa_t gpa, void *data, size_t size,
                               size_t *done);

/** @brief Write guest-physical memory and mark it dirty. As svm_vm_read(). */
SVM_MUST_CHECK int svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size,
                                size_t *done);
/** @} */

/** @name I/O ports */
/** @{ */

/** One access to a port. */
struct svm_io_access {
	uint16_t port;
	uint8_t size; /**< 1, 2 or 4 bytes. */
	bool is_in;
	uint32_t value; /**< OUT: what was written. IN: where the handler puts the answer. */
};

/** Answer of a device callback. */
enum svm_device_result {
	SVM_DEVICE_DONE,   /**< Finished; the guest goes on. */
	SVM_DEVICE_RETURN, /**< Finished; svm_vcpu_run() shall return SVM_EXIT_KIND_REQUEST. */
	SVM_DEVICE_EXIT,   /**< Not mine: make it an exit to the embedder. */
};

struct svm_vcpu;

/** @brief A device's answer to a port access. Context A. */
typedef enum svm_device_result (*svm_io_fn)(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_io_access *access);

/** Most port ranges with a callback. */
#define SVM_IO_RANGE_MAX 32u

/**
 * @brief Give a range of ports to a callback.  Other ports are exits to the embedder.
 * @param vm     A VM none of whose vCPUs is running.
 * @param first  First port.
 * @param count  Ports; first + count is at most 65536.
 * @param fn     The callback; NULL gives the range back.
 * @param arg    Its first argument.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_EXIST  The range overlaps another callback's.
 * @retval SVM_ERR_NOENT  @p fn is NULL and no callback has exactly this range.
 * @retval SVM_ERR_NOMEM  ::SVM_IO_RANGE_MAX reached.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 */
SVM_MUST_CHECK int svm_vm_io_handler(struct svm_vm *vm, uint16_t first, uint32_t count,
                                     svm_io_fn fn, void *arg);

/**
 * @brief Let the guest drive physical ports itself, or no longer.  Default: none.
 * @param vm      A VM none of whose vCPUs is running.
 * @param first   First port.
 * @param count   Ports; first + count is at most 65536.
 * @param allow   True: no exit for IN and OUT that touch only such ports.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_NOMEM  No frames for a permission map of the VM's own (3 contiguous).
 * @retval SVM_ERR_BUSY   A vCPU is running.
 * @par Source
 * APM vol. 2, 15.10.
 */
SVM_MUST_CHECK int svm_vm_io_allow(struct svm_vm *vm, uint16_t first, uint32_t count, bool allow);
/** @} */

/** @name Device memory */
/** @{ */

/** Most bytes of one access to device memory: a vector register. */
#define SVM_MMIO_DATA_MAX 32u

/** One access to device memory, within one 4 KiB page. */
struct svm_mmio_access {
	svm_gpa_t gpa;
	uint8_t size; /**< 1 … ::SVM_MMIO_DATA_MAX bytes. */
	bool is_write;
	uint8_t data[SVM_MMIO_DATA_MAX]; /**< Written, or where the handler puts the answer. */
};

/** @brief A device's answer to a memory access. Context A. */
typedef enum svm_device_result (*svm_mmio_fn)(void *arg, struct svm_vcpu *vcpu,
                                              struct svm_mmio_access *access);

/** Most ranges of device memory with a callback. */
#define SVM_MMIO_RANGE_MAX 32u

/**
 * @brief Give a range of guest-physical addresses that no slot covers to a callback.
 *
 * The instruction that touches it is decoded and finished by the library.  Without a callback a
 * touch of an address that no slot covers is SVM_EXIT_KIND_MMIO under SVM_WANT_MMIO, and
 * SVM_EXIT_KIND_NPT_FAULT without.
 *
 * @param vm    A VM none of whose vCPUs is running.
 * @param gpa   First byte; any alignment.
 * @param size  Bytes, not 0; gpa + size does not wrap.
 * @param fn    The callback; NULL gives the range back.
 * @param arg   Its first argument.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_EXIST  The range overlaps another callback's.
 * @retval SVM_ERR_NOENT  @p fn is NULL and no callback has exactly this range.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 * @retval SVM_ERR_NOMEM  ::SVM_MMIO_RANGE_MAX reached.
 */
SVM_MUST_CHECK int svm_vm_mmio_handler(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size,
                                       svm_mmio_fn fn, void *arg);
/** @} */

/** @name Hypercalls */
/** @{ */

/** One VMMCALL, with the registers that KVM's interface uses. */
struct svm_hypercall {
	uint64_t number;      /**< RAX; EAX outside 64-bit mode. */
	uint64_t argument[4]; /**< RBX, RCX, RDX, RSI; their lower halves outside 64-bit mode. */
	uint8_t cpl;          /**< VMMCALL itself checks no privilege. */
	bool is_wide;         /**< Made by 64-bit code. */
	uint64_t result;      /**< Where the handler puts the new RAX; EAX outside 64-bit mode. */
};

/** @brief The answer to a hypercall. Context A. */
typedef enum svm_device_result (*svm_hypercall_fn)(void *arg, struct svm_vcpu *vcpu,
                                                   struct svm_hypercall *call);

/** Most ranges of hypercalls with a callback. */
#define SVM_HYPERCALL_RANGE_MAX 4u

/**
 * @brief Give a range of hypercalls to a callback.  Others are exits to the embedder.
 * @param vm     A VM none of whose vCPUs is running.
 * @param first  First number.
 * @param count  Numbers, not 0; first + count is at most 2^32.
 * @param fn     The callback; NULL gives the range back.
 * @param arg    Its first argument.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape.
 * @retval SVM_ERR_EXIST  The range overlaps another callback's.
 * @retval SVM_ERR_NOENT  @p fn is NULL and no callback has exactly this range.
 * @retval SVM_ERR_NOMEM  ::SVM_HYPERCALL_RANGE_MAX reached.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 */
SVM_MUST_CHECK int svm_vm_hypercall_handler(struct svm_vm *vm, uint32_t first, uint32_t count,
                                            svm_hypercall_fn fn, void *arg);

/**
 * @brief Answer each hypercall of CPL 0 that no callback has; it is an exit to the embedder
 *        otherwise, as one of another CPL always is.
 * @param vm      A VM none of whose vCPUs is running.
 * @param on      Default: false.
 * @param result  RAX afterwards; EAX outside 64-bit mode.  KVM's interface says -1000 to a call
 *                that it does not know.
 * @retval 0             Done.
 * @retval SVM_ERR_BUSY  A vCPU is running.
 */
SVM_MUST_CHECK int svm_vm_hypercall_default(struct svm_vm *vm, bool on, uint64_t result);
/** @} */

/** @name CPUID and MSR policy */
/** @{ */

/** One row of a CPUID table. */
struct svm_cpuid_entry {
	uint32_t leaf;
	uint32_t subleaf;
	bool subleaf_matters; /**< False: the row answers every ECX. */
	uint32_t eax, ebx, ecx, edx;
};

/** Most rows of a CPUID table. */
#define SVM_CPUID_MAX 128u

/**
 * @brief Replace what CPUID tells the guest.
 *
 * Leaves not in the table answer zeros (15.9 leaves the choice to the monitor; a leaf beyond the
 * maximum answers as AMD processors do: zeros).  The library keeps the dynamic bits right:
 * OSXSAVE, OSPKE, the APIC ID, the XSAVE size of leaf 0Dh.
 *
 * @param vm       A VM that is CREATED.
 * @param entries  Rows in any order; copied.
 * @param count    At most ::SVM_CPUID_MAX.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Two rows answer the same question, or too many.
 * @retval SVM_ERR_STATE  It is not CREATED.
 */
SVM_MUST_CHECK int svm_vm_set_cpuid(struct svm_vm *vm, const struct svm_cpuid_entry *entries,
                                    size_t count);

/**
 * @brief A table that offers the guest what this processor and the library can do.
 *
 * Hides SVM, the monitor's own features and all that the library does not switch.  One CPU: see
 * svm_cpuid_set_topology().
 *
 * @param host          A host with features.
 * @param[out] entries  Room for @p room rows.
 * @param room          Rows of room.
 * @param[out] count    Rows filled.
 * @retval 0              Done.
 * @retval SVM_ERR_RANGE  @p room is too small; @p count is what it takes.
 */
SVM_MUST_CHECK int svm_cpuid_default(const struct svm_host *host, struct svm_cpuid_entry *entries,
                                     size_t room, size_t *count);

/**
 * @brief Make a CPUID table describe a number of processors: one package, a core for each, one
 *        thread in each core.
 *
 * Sets counts and widths in the leaves 1, 0Bh, 8000_0001h, 8000_0008h and 8000_001Dh that the
 * table has, and leaves other rows alone.  The table that svm_vm_create() prepares is so made for
 * svm_vm_config.vcpu_max.
 *
 * @param entries  The table.
 * @param count    Its rows.
 * @param cpus     1 … ::SVM_VCPU_MAX.
 * @par Context
 * Any.
 */
void svm_cpuid_set_topology(struct svm_cpuid_entry *entries, size_t count, uint32_t cpus);

/** What a guest gets when it touches an MSR. */
enum svm_msr_policy {
	SVM_MSR_REFUSE, /**< \#GP(0). */
	SVM_MSR_STATE,  /**< The library's own handling; only for registers that msrs.h lists so. */
	SVM_MSR_SHADOW, /**< A value kept per vCPU, without effect; only for registers of msrs.h. */
	SVM_MSR_PASS,   /**< No exit; only for registers that msrs.h lists so. */
	SVM_MSR_EXIT,   /**< An exit to the embedder. */
	SVM_MSR_ZERO,   /**< Reads 0, writes are dropped. */
	SVM_MSR_DEVICE, /**< What svm_vm_msr_handler() made of it; cannot be set. */
};

/** Most ranges set by svm_vm_set_msr_policy() and alive at once; one that a later call covers
 * whole is not. */
#define SVM_MSR_RANGE_MAX 32u

/**
 * @brief Choose what a range of MSRs does.  Later calls win.
 * @param vm      A VM none of whose vCPUs is running.
 * @param first   First MSR.
 * @param count   MSRs; first + count is at most 2^32.
 * @param policy  What.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape, or PASS, STATE or SHADOW for a register that cannot have it.
 * @retval SVM_ERR_NOMEM  ::SVM_MSR_RANGE_MAX reached, or no frames for a map of the VM's own.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 * @par Source
 * APM vol. 2, 15.11.
 */
SVM_MUST_CHECK int svm_vm_set_msr_policy(struct svm_vm *vm, uint32_t first, uint64_t count,
                                         enum svm_msr_policy policy);

/** One access to a model-specific register. */
struct svm_msr_access {
	uint32_t msr;
	bool is_write;
	uint64_t value; /**< Written, or where the handler puts the answer. */
};

/** @brief A device's answer; false means \#GP(0).  Context A. */
typedef bool (*svm_msr_fn)(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access);

/** Most ranges of MSRs with a callback. */
#define SVM_MSR_HANDLER_MAX 8u

/**
 * @brief Have a callback answer for a range of MSRs, such as a local APIC's; before any policy.
 * @param vm     A VM none of whose vCPUs is running.
 * @param first  First MSR.
 * @param count  MSRs; first + count is at most 2^32.
 * @param fn     The callback; NULL gives the range back.
 * @param arg    Its first argument.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  Shape, or a register of the range is PASS in msrs.h.
 * @retval SVM_ERR_EXIST  The range overlaps another callback's.
 * @retval SVM_ERR_NOENT  @p fn is NULL and no callback has exactly this range.
 * @retval SVM_ERR_NOMEM  ::SVM_MSR_HANDLER_MAX reached.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 */
SVM_MUST_CHECK int svm_vm_msr_handler(struct svm_vm *vm, uint32_t first, uint64_t count,
                                      svm_msr_fn fn, void *arg);

/** @brief Whether callbacks and policies may answer this access; false: an exit.  Context A. */
typedef bool (*svm_msr_filter_fn)(void *arg, uint32_t msr, bool is_write);

/**
 * @brief Have a callback asked before each access of the guest to a register.
 *
 * What it denies is an exit of kind RDMSR or WRMSR, before any callback or policy.  Registers that
 * the guest would reach without an exit are asked for during this call: make it again when the
 * answers have changed.  svm_vcpu_get_msr() and svm_vcpu_set_msr() do not ask.
 *
 * @param vm   A VM none of whose vCPUs is running.
 * @param fn   The callback; NULL: none.
 * @param arg  Its first argument.
 * @retval 0              In force.
 * @retval SVM_ERR_NOMEM  No frames for a map of the VM's own; nothing changed.
 * @retval SVM_ERR_BUSY   A vCPU is running.
 * @par Source
 * APM vol. 2, 15.11.
 */
SVM_MUST_CHECK int svm_vm_msr_filter(struct svm_vm *vm, svm_msr_filter_fn fn, void *arg);
/** @} */

/** @name What the embedder wants to see */
/** @{ */

/* Bits of svm_vm_set_exits(): each turns a class that the library finishes into an exit. */
#define SVM_WANT_CPUID      SVM_BIT(0) /**< Leaves that the table lacks. */
#define SVM_WANT_MSR        SVM_BIT(1) /**< Accesses to MSRs that would be refused. */
#define SVM_WANT_PAUSE      SVM_BIT(2) /**< PAUSE loops, by the filter where there is one. */
#define SVM_WANT_CR         SVM_BIT(3) /**< Writes of CR0, CR3, CR4 and reads of CR0, CR4. */
#define SVM_WANT_DEBUG      SVM_BIT(4) /**< \#DB and \#BP, before the guest sees them. */
#define SVM_WANT_WINDOWS    SVM_BIT(5) /**< INTR_WINDOW and NMI_WINDOW. */
#define SVM_WANT_UD         SVM_BIT(6) /**< \#UD. */
#define SVM_WANT_MMIO       SVM_BIT(8) /**< Touches of absent memory, decoded, as MMIO. */
#define SVM_WANT_SVM        SVM_BIT(7) /**< SVM instructions, instead of \#UD. */
#define SVM_WANT_MWAIT      SVM_BIT(9) /**< MONITOR and MWAIT also if CPUID lacks them. */

/**
 * @brief Choose classes of exits.  Default: none of them.
 * @param vm    A VM none of whose vCPUs is running.
 * @param want  OR of SVM_WANT_*.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  An unknown bit.
 */
SVM_MUST_CHECK int svm_vm_set_exits(struct svm_vm *vm, uint64_t want);

/* Mitigations around the world switch.  Hooks only: nothing here can be tested without the
 * processors concerned. */
#define SVM_MITIGATE_IBPB SVM_BIT(0) /**< Predictor barrier when another vCPU ran here last. */
#define SVM_MITIGATE_RSB  SVM_BIT(1) /**< Fill the return stack after each exit. */
#define SVM_MITIGATE_VERW SVM_BIT(2) /**< VERW before each entry. */
#define SVM_MITIGATE_DIV  SVM_BIT(3) /**< A dummy division before each entry. */

/**
 * @brief Choose mitigations.  Default: IBPB where CPUID offers it.
 * @retval 0                  Done.
 * @retval SVM_ERR_INVAL      An unknown bit.
 * @retval SVM_ERR_NOSUPPORT  The processor lacks what a bit needs.
 */
SVM_MUST_CHECK int svm_vm_set_mitigations(struct svm_vm *vm, uint64_t mitigations);
/** @} */

/** @} */

#endif
