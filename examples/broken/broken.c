/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Some ninety ways to a VMCB that fails, each as somebody writes it who knows the processor and
 * meets SVM for the first time.
 *
 *	broken --list                 their names, what was done, and what one sees
 *	broken NAME | svm-lint -      what the audit says about it
 *	broken --before NAME          the same VMCB as the last exit left it, where that matters
 *	broken --msrpm NAME           its MSR permission map, where that matters
 *	broken --memory NAME          its nested tables, where they matter: 16 KiB at 200000h
 *
 * Each starts from a VMCB in which svm-lint finds nothing, and does one thing wrong; the test runs
 * all of them and demands the cause and no other.  Some end in VMEXIT_INVALID, which gives no
 * reason.  Most are legal, and the guest, or the whole machine, then goes on for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>
#include <libsvm/vmcb.h>

#define PG   SVM_BIT(31)
#define CD   SVM_BIT(30)
#define NW   SVM_BIT(29)
#define PAE  SVM_BIT(5)
#define VMXE SVM_BIT(13)
#define SVME SVM_BIT(12)
#define LMA  SVM_BIT(10)
#define IF   SVM_BIT(9)

#define MSRPM_SIZE 0x2000

/* A guest's world: its VMCB, the VMCB as the last exit left it, its MSR permission map. */
struct world {
	struct svm_vmcb vmcb, before;
	bool has_before, has_msrpm, has_nested;
	uint8_t msrpm[MSRPM_SIZE];
	uint64_t nested[4][512]; /* Level 4 first; 2 MiB are mapped. */
};

static void intercept(struct svm_vmcb *vmcb, unsigned int code)
{
	svm_vmcb_set_intercept(vmcb, code, true);
}

static void no_intercept(struct svm_vmcb *vmcb, unsigned int code)
{
	svm_vmcb_set_intercept(vmcb, code, false);
}

/* --- two VMCBs that are right ---------------------------------------------------------------- */

static void good_controls(struct svm_vmcb *vmcb)
{
	static const uint8_t needed[] = {
		SVM_EXIT_INTR,  SVM_EXIT_NMI,   SVM_EXIT_INIT,    SVM_EXIT_CPUID,  SVM_EXIT_INVD,
		SVM_EXIT_HLT,   SVM_EXIT_IOIO,  SVM_EXIT_MSR,     SVM_EXIT_RDPMC,  SVM_EXIT_RSM,
		SVM_EXIT_VMRUN, SVM_EXIT_STGI,  SVM_EXIT_CLGI,    SVM_EXIT_SKINIT, SVM_EXIT_INVLPGA,
		SVM_EXIT_MWAIT, SVM_EXIT_VMLOAD, SVM_EXIT_VMSAVE, SVM_EXIT_XSETBV, SVM_EXIT_MONITOR,
		SVM_EXIT_WBINVD, SVM_EXIT_VMMCALL, SVM_EXIT_SHUTDOWN, SVM_EXIT_TASK_SWITCH,
		SVM_EXIT_FERR_FREEZE, SVM_EXIT_DR_WRITE + 7, SVM_EXIT_EXCEPTION + SVM_VECTOR_DB,
		SVM_EXIT_EXCEPTION + SVM_VECTOR_AC, SVM_EXIT_EXCEPTION + SVM_VECTOR_MC,
	};

	for (size_t i = 0; i < sizeof(needed); i++)
		intercept(vmcb, needed[i]);
	svm_vmcb_set_iopm_base(vmcb, 0x100000);
	svm_vmcb_set_msrpm_base(vmcb, 0x104000);
	svm_vmcb_set_asid(vmcb, 1);
	svm_vmcb_set_int_control(vmcb, SVM_INT_V_MASKING);
	svm_vmcb_set_np_control(vmcb, SVM_NP_ENABLE);
	svm_vmcb_set_ncr3(vmcb, 0x200000);
	svm_vmcb_set_g_pat(vmcb, 0x0007040600070406);
	svm_vmcb_set_dr6(vmcb, 0xffff0ff0);
	svm_vmcb_set_dr7(vmcb, 0x400);
	vmcb->save.rflags = 0x2;
}

/* As a processor is after reset, but with its caches on. */
static void good_reset(struct svm_vmcb *vmcb)
{
	const struct svm_vmcb_segment data = { 0, 0x093, 0xffff, 0 };

	good_controls(vmcb);
	svm_vmcb_set_cs(vmcb, (struct svm_vmcb_segment){ 0xf000, 0x09b, 0xffff, 0xffff0000 });
	svm_vmcb_set_ss(vmcb, data);
	svm_vmcb_set_ds(vmcb, data);
	svm_vmcb_set_es(vmcb, data);
	svm_vmcb_set_fs(vmcb, data);
	svm_vmcb_set_gs(vmcb, data);
	svm_vmcb_set_ldtr(vmcb, (struct svm_vmcb_segment){ 0, 0x082, 0xffff, 0 });
	svm_vmcb_set_tr(vmcb, (struct svm_vmcb_segment){ 0, 0x08b, 0xffff, 0 });
	svm_vmcb_set_gdtr(vmcb, (struct svm_vmcb_segment){ 0, 0, 0xffff, 0 });
	svm_vmcb_set_idtr(vmcb, (struct svm_vmcb_segment){ 0, 0, 0xffff, 0 });
	svm_vmcb_set_efer(vmcb, SVME);
	svm_vmcb_set_cr0(vmcb, 0x10);
	vmcb->save.rip = 0xfff0;
}

/* A kernel in 64-bit mode, at its entry. */
static void good_long(struct svm_vmcb *vmcb)
{
	const struct svm_vmcb_segment data = { 0x10, 0xc93, 0xffffffff, 0 };

	good_reset(vmcb);
	svm_vmcb_set_cs(vmcb, (struct svm_vmcb_segment){ 0x08, 0xa9b, 0xffffffff, 0 });
	svm_vmcb_set_ss(vmcb, data);
	svm_vmcb_set_ds(vmcb, data);
	svm_vmcb_set_es(vmcb, data);
	svm_vmcb_set_tr(vmcb, (struct svm_vmcb_segment){ 0x18, 0x08b, 0x67, 0 });
	svm_vmcb_set_cr0(vmcb, 0x80010031);
	svm_vmcb_set_cr3(vmcb, 0x1000);
	svm_vmcb_set_cr4(vmcb, PAE);
	svm_vmcb_set_efer(vmcb, 0x500 | SVME);
	vmcb->save.rflags |= IF;
	vmcb->save.rip = 0x100000;
	vmcb->save.rsp = 0x200000;
}

/* An ordinary exit: everything is marked clean, and the VMCB is what it was. */
static void exit_happens(struct world *w)
{
	w->vmcb.control.exit_code = SVM_EXIT_CPUID;
	w->vmcb.control.clean = SVM_CLEAN_ALL;
	w->before = w->vmcb;
	w->has_before = true;
	w->vmcb.save.rip += 2;
}

/* The first 2 MiB of the guest's memory, with these bits in each entry and in the leaves. */
static void map(struct world *w, uint64_t table_bits, uint64_t leaf_bits)
{
	w->has_nested = true;
	for (unsigned int level = 0; level < 3; level++)
		w->nested[level][0] = (0x201000 + level * 0x1000u) | table_bits;
	for (uint64_t i = 0; i < 512; i++)
		w->nested[3][i] = (0x400000 + i * 0x1000) | leaf_bits;
}

/* --- mistakes -------------------------------------------------------------------------------- */

/* What the fields do not say, the fields around them: each is told to svm-lint by an option. */
#define AS_QEMU     "--cpu=qemu"
#define AFTER_EXIT  "--given=after-exit"
#define IF_CLEAR    "--given=if-clear"

/*
 * MISTAKE(name, start, rule, option of svm-lint, what one sees, what was done) { how }
 *
 * The rule's sentence is what the test looks for in the lint's answer.
 */
#define MISTAKES(X)                                                                                \
	/* VMRUN refuses these: exit code -1, no reason given. */                                  \
	X(asid_zero, long, "C02", "", "INVALID", "the ASID was left 0",                            \
	  svm_vmcb_set_asid(v, 0))                                                                 \
	X(asid_too_large, long, "C03", AS_QEMU, "INVALID, or another ASID's translations",         \
	  "an ASID was taken without asking CPUID how many there are",                             \
	  svm_vmcb_set_asid(v, 4096))                                                              \
	X(no_vmrun_intercept, long, "C01", "", "INVALID",                                          \
	  "the VMRUN intercept was left out since the guest has no SVM",                           \
	  no_intercept(v, SVM_EXIT_VMRUN))                                                         \
	X(no_svme, long, "S01", "", "INVALID", "the guest's EFER was taken as the guest wrote it", \
	  svm_vmcb_set_efer(v, svm_vmcb_get_efer(v) & ~SVME))                                      \
	X(nw_without_cd, reset, "S04", "", "INVALID",                                              \
	  "CD was cleared to run with caches, NW of the reset value was forgotten",                \
	  svm_vmcb_set_cr0(v, (0x60000010 & ~CD)))                                                 \
	X(cr0_sign_extended, long, "S05", "", "INVALID", "1 << 31 is an int, and negative",        \
	  svm_vmcb_set_cr0(v, (uint64_t)(int64_t)(int32_t)0x80010031))                             \
	X(paging_without_pae, long, "S08", "", "INVALID", "CR4 was left 0 for a 64-bit guest",     \
	  svm_vmcb_set_cr4(v, 0))                                                                  \
	X(cs_long_and_default, long, "S10", "", "INVALID",                                         \
	  "the flat 32-bit code segment got L, and kept D",                                        \
	  svm_vmcb_set_cs(v, (struct svm_vmcb_segment){ 8, 0xe9b, 0xffffffff, 0 }))                \
	X(cr4_vmxe, long, "S07", "", "INVALID", "CR4.VMXE was set, as VMX wants it",               \
	  svm_vmcb_set_cr4(v, PAE | VMXE))                                                         \
	X(cr3_with_noexecute, long, "S06", "--phys-bits=48", "INVALID",                            \
	  "CR3 was made by the function that makes page table entries",                            \
	  svm_vmcb_set_cr3(v, 0x1000 | SVM_BIT(63)))                                               \
	X(dr7_not_initialised, long, "S12", "", "INVALID", "the debug registers hold stack bytes", \
	  svm_vmcb_set_dr7(v, 0xffffffff00000400))                                                 \
	X(io_map_virtual, long, "C05", "--phys-bits=48", "INVALID",                                \
	  "the I/O permission map's address is a pointer, not a physical address",                 \
	  svm_vmcb_set_iopm_base(v, 0xffff888000100000))                                           \
	X(msr_map_at_the_end, long, "C04", "--phys-bits=36", "INVALID",                            \
	  "half of the map lies beyond the last physical address",                                 \
	  svm_vmcb_set_msrpm_base(v, SVM_BIT(36) - 0x1000))                                        \
	X(nested_root_virtual, long, "C15", "--phys-bits=48", "INVALID",                           \
	  "the nested root's address is a pointer, not a physical address",                        \
	  svm_vmcb_set_ncr3(v, 0xffff888000200000))                                                \
	X(pat_type_2, long, "C16", "", "INVALID",                                                  \
	  "G_PAT was put together by hand: there is no type 2",                                    \
	  svm_vmcb_set_g_pat(v, 0x0007040600070402))                                               \
	X(nmi_as_exception, long, "C08", "", "INVALID", "an NMI was injected as exception 2",      \
	  v->control.event_inj = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCP << 8 | 2)                   \
	X(event_in_vmx_form, long, "C07", "", "INVALID",                                           \
	  "a software exception was injected as type 6, as in VMX",                                \
	  v->control.event_inj = SVM_EVENT_VALID | 6 << 8 | 3)                                     \
	X(vnmi_without_intercept, long, "C18", "--ignore=W03", "INVALID",                          \
	  "virtual NMIs were switched on, and the NMI intercept off",                              \
	  svm_vmcb_set_int_control(v, SVM_INT_V_MASKING | SVM_INT_V_NMI_ENABLE);                   \
	  no_intercept(v, SVM_EXIT_NMI))                                                           \
	X(tlb_control_8, long, "C20", "", "undefined; some KVM hosts: INVALID",                    \
	  "TLB_CONTROL was built as four bits of one field: flush is bit 3",                       \
	  v->control.tlb_control = 8)                                                              \
	X(tlb_control_not_there, long, "C20", AS_QEMU, "stale translations",                       \
	  "flush by ASID was used without asking CPUID",                                           \
	  v->control.tlb_control = SVM_TLB_FLUSH_ASID)                                             \
	X(lbr_not_there, long, "C21", AS_QEMU, "nothing happens, or INVALID",                      \
	  "LBR virtualisation was switched on without asking CPUID",                               \
	  svm_vmcb_set_virt_control(v, SVM_VIRT_LBR))                                              \
	/* Tables and segments in another processor's form: VMRUN takes them. */                   \
	X(vmx_attributes, long, "W42", "", "the guest runs 16-bit code",                           \
	  "segment attributes are VMX's access rights: L is bit 13, D 14, G 15",                   \
	  svm_vmcb_set_cs(v, (struct svm_vmcb_segment){ 8, 0xa09b, 0xffffffff, 0 }))               \
	X(ept_pointer, long, "W44", "", "nested faults, or memory that is never cached",           \
	  "nCR3 is an EPT pointer: memory type and walk length in its low bits",                   \
	  svm_vmcb_set_ncr3(v, 0x200000 | 0x1e))                                                   \
	X(nested_without_user, long, "W29", "", "every access is a nested fault",                  \
	  "nested tables were made as a kernel makes its own: without the user bit",               \
	  map(w, 3, 3))                                                                            \
	X(nested_read_only, long, "W30", "", "a nested fault in each page walk of the guest",      \
	  "the guest's kernel was mapped read-only, with its page tables",                         \
	  map(w, 7, 5))                                                                            \
	X(nested_not_there, reset, "W33", "", "a nested fault at the first instruction",           \
	  "memory was mapped from 0, and the guest starts at FFFFFFF0h",                           \
	  map(w, 7, 7))                                                                            \
	X(ept_tables, long, "W34", "", "it boots, a hundred times slower",                         \
	  "the nested tables are EPT's: memory type WB, 6, in bits 5:3 is PCD here",               \
	  map(w, 7, 0x37))                                                                         \
	X(no_nested_root, long, "W32", "", "every access is a nested fault at once",               \
	  "nested paging was switched on before its tables were made",                             \
	  svm_vmcb_set_ncr3(v, 0))                                                                 \
	X(lma_forgotten, long, "W43", "", "shutdown at the first instruction",                     \
	  "EFER.LME and CR0.PG were set, and the processor left to set LMA",                       \
	  svm_vmcb_set_efer(v, svm_vmcb_get_efer(v) & ~LMA))                                       \
	X(tss_available, long, "W35", "", "#GP or worse at the first stack switch",                \
	  "TR has type 9, as its descriptor had before LTR",                                       \
	  svm_vmcb_set_tr(v, (struct svm_vmcb_segment){ 0x18, 0x089, 0x67, 0 }))                   \
	X(cpl_forgotten, long, "W35", "", "user code runs in ring 0",                              \
	  "the guest starts in user mode: segments say ring 3, CPL 0",                             \
	  svm_vmcb_set_ss(v, (struct svm_vmcb_segment){ 0x1b, 0xcf3, 0xffffffff, 0 }))             \
	X(dr6_zero, long, "W45", "", "the guest sees a DR6 that no processor has",                 \
	  "DR6 was left 0", svm_vmcb_set_dr6(v, 0))                                                \
	X(rflags_zero, long, "W36", "", "a guest that tests for CPUID goes astray",                \
	  "RFLAGS was left 0", v->save.rflags = 0)                                                 \
	/* The guest never gets anywhere: no exit, or the same one for ever. */                    \
	X(rip_beyond_cs, reset, "W37", "", "#GP through an empty vector table, for ever",          \
	  "the entry point is a linear address, and CS ends at 64 KiB",                            \
	  v->save.rip = 0x100000)                                                                  \
	X(rip_not_canonical, long, "W37", "", "#GP at the first instruction",                      \
	  "the entry point is a linear address with an upper half of 0",                           \
	  v->save.rip = 0x0000ffff80000000)                                                        \
	X(caches_off, long, "W34", "", "it boots, a hundred times slower",                         \
	  "CR0 got PG and PE on top of the value at reset, which has CD and NW",                   \
	  svm_vmcb_set_cr0(v, svm_vmcb_get_cr0(v) | CD | NW))                                      \
	X(pat_zero, long, "W34", "", "it boots, a hundred times slower",                           \
	  "nested paging was switched on and G_PAT left 0: everything is uncached",                \
	  svm_vmcb_set_g_pat(v, 0))                                                                \
	X(window_never_opens, long, "W20", "", "an interrupt is never delivered",                  \
	  "a window was asked for with priority 0 and V_IGN_TPR clear",                            \
	  svm_vmcb_set_int_control(v, SVM_INT_V_MASKING | SVM_INT_V_IRQ);                          \
	  intercept(v, SVM_EXIT_VINTR))                                                            \
	X(interrupt_lost, long, "W23", "", "a timer or a disk falls silent",                       \
	  "EXITINTINFO was not looked at: the exit cut a delivery short",                          \
	  v->control.exit_code = SVM_EXIT_NPF; v->control.exit_int_info = SVM_EVENT_VALID | 0x30)  \
	X(interrupt_twice, long, "W21", "", "a spurious interrupt now and then",                   \
	  "a vector was injected by EVENTINJ and left pending as V_IRQ",                           \
	  v->control.event_inj = SVM_EVENT_VALID | 0x30;                                           \
	  svm_vmcb_set_int_control(v, SVM_INT_V_MASKING | SVM_INT_V_IRQ | SVM_INT_V_IGN_TPR |      \
	                                      UINT64_C(0x30) << 32))                               \
	X(interrupt_while_masked, long, "W22", "", "the guest's kernel crashes in a lock",         \
	  "an interrupt was injected without asking RFLAGS.IF",                                    \
	  v->save.rflags &= ~IF; v->control.event_inj = SVM_EVENT_VALID | 0x30)                    \
	X(no_error_code, long, "C11", "", "the guest returns from #GP to nowhere",                 \
	  "#GP was injected without its error code",                                               \
	  v->control.event_inj = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCP << 8 | SVM_VECTOR_GP)       \
	X(resumed_after_shutdown, long, "W40", AFTER_EXIT, "a reboot loop, or nothing",            \
	  "the guest was resumed after a triple fault",                                            \
	  v->control.exit_code = SVM_EXIT_SHUTDOWN)                                                \
	/* The guest has the machine. */                                                           \
	X(no_v_intr_masking, long, "W18", "", "CLI in the guest stops the machine",                \
	  "interrupts are intercepted, V_INTR_MASKING was left 0",                                 \
	  svm_vmcb_set_int_control(v, 0))                                                          \
	X(no_intr_intercept, long, "W02", "", "the host's timer goes to the guest; a hang",        \
	  "interrupts are not intercepted", no_intercept(v, SVM_EXIT_INTR))                        \
	X(host_if_clear, long, "W19", IF_CLEAR, "no exit for ever",                                \
	  "VMRUN was reached with the host's IF clear", (void)v)                                   \
	X(no_hlt_intercept, long, "W01", "", "the CPU sleeps, and nobody else runs on it",         \
	  "HLT is not intercepted", no_intercept(v, SVM_EXIT_HLT))                                 \
	X(no_shutdown_intercept, long, "W04", "", "the machine reboots",                           \
	  "a triple fault is not intercepted", no_intercept(v, SVM_EXIT_SHUTDOWN))                 \
	X(no_init_intercept, long, "W05", "", "the CPU is gone after an INIT",                     \
	  "INIT is not intercepted", no_intercept(v, SVM_EXIT_INIT))                               \
	X(io_not_intercepted, long, "W06", "", "guest and host share the UART",                    \
	  "an I/O permission map was made and IOIO_PROT not set",                                  \
	  no_intercept(v, SVM_EXIT_IOIO))                                                          \
	X(io_map_not_connected, long, "W06", "", "guest and host share the UART, mostly",          \
	  "IOIO_PROT was set and the map's address never written: page 0 is the map",              \
	  svm_vmcb_set_iopm_base(v, 0))                                                            \
	X(msr_map_not_connected, long, "W07", "", "the guest writes real MSRs, some of them",      \
	  "MSR_PROT was set and the map's address never written: page 0 is the map",               \
	  svm_vmcb_set_msrpm_base(v, 0))                                                           \
	X(efer_open, long, "W08", "", "INVALID, once the guest writes EFER",                       \
	  "the map lets the guest write EFER: it clears SVME",                                     \
	  w->has_msrpm = true; w->msrpm[0x800 + 0x80 / 4] &= (uint8_t)~3u)                         \
	X(svm_instructions_open, long, "W09", "", "the host's FS, GS and TR change under it",      \
	  "VMLOAD is not intercepted, as the guest was not told of SVM",                           \
	  no_intercept(v, SVM_EXIT_VMLOAD))                                                        \
	X(xsetbv_open, long, "W13", "", "the host's XSAVE faults",                                 \
	  "XSETBV is not intercepted, XCR0 not switched", no_intercept(v, SVM_EXIT_XSETBV))        \
	X(invd_open, long, "W14", "", "the host's memory is corrupt",                              \
	  "INVD is not intercepted", no_intercept(v, SVM_EXIT_INVD))                               \
	X(mwait_open, long, "W15", "", "the CPU sleeps inside the guest",                          \
	  "MWAIT is not intercepted", no_intercept(v, SVM_EXIT_MWAIT))                             \
	X(alignment_check_open, long, "W10", "", "one processor hangs, for good",                  \
	  "#AC is not intercepted: a guest can have one inside the delivery of another",           \
	  no_intercept(v, SVM_EXIT_EXCEPTION + SVM_VECTOR_AC))                                     \
	/* The fields that a first attempt rarely touches, and a second one does. */               \
	X(vmcb_unaligned, long, "V03", "--vmcb-address=0x1010", "#GP at VMRUN",                    \
	  "the VMCB came out of an allocator of 16 byte pieces", (void)v)                          \
	X(hsave_unaligned, long, "V04", "--hsave=0x1008", "#GP at WRMSR or VMRUN",                 \
	  "VM_HSAVE_PA was given the address of a structure's member", (void)v)                    \
	X(one_page_for_two, long, "V06", "--vmcb-address=0x1000 --hsave=0x1000",                   \
	  "the host comes back as the guest", "the VMCB is the host save area too", (void)v)       \
	X(io_map_unaligned, long, "C06", "", "the wrong ports are open",                           \
	  "the I/O permission map begins behind a header",                                         \
	  svm_vmcb_set_iopm_base(v, 0x100010))                                                     \
	X(into_in_64_bit, long, "C09", "", "INVALID",                                              \
	  "#OF was injected into 64-bit code, which has no INTO",                                  \
	  v->control.event_inj = SVM_EVENT_VALID | SVM_EVENT_TYPE_EXCP << 8 | SVM_VECTOR_OF;       \
	  v->control.next_rip = 0x100001)                                                          \
	X(event_flags, long, "C10", "", "INVALID, on some processors",                             \
	  "VMX's bit 12, NMI unblocking, was left in the event",                                   \
	  v->control.event_inj = SVM_EVENT_VALID | SVM_EVENT_TYPE_NMI << 8 | 2 | SVM_BIT(12);      \
	  intercept(v, SVM_EXIT_IRET))                                                             \
	X(nmi_with_vector, long, "C12", "", "an NMI where an interrupt was meant",                 \
	  "types 0 and 2 were mixed up", intercept(v, SVM_EXIT_IRET);                              \
	  v->control.event_inj = SVM_EVENT_VALID | 2 << 8 | 0x30)                                  \
	X(nested_paging_not_there, long, "C13", "--features=-npt", "INVALID, or no nested paging", \
	  "NP_ENABLE was set without asking CPUID", (void)v)                                       \
	X(host_without_paging, long, "C14", "--given=no-paging", "INVALID",                        \
	  "a boot loader runs guests before it has paging", (void)v)                               \
	X(sev_alone, long, "C17", "", "INVALID", "bit 1 was taken for NP_ENABLE",                  \
	  svm_vmcb_set_np_control(v, 2))                                                           \
	X(avic_page_unaligned, long, "C19", "", "INVALID",                                         \
	  "AVIC's backing page is a pointer into a structure",                                     \
	  svm_vmcb_set_int_control(v, SVM_INT_V_MASKING | SVM_INT_AVIC_ENABLE);                    \
	  svm_vmcb_set_avic_backing_page(v, 0x300040))                                             \
	X(reserved_bits, long, "C22", "", "nothing, until the next processor",                     \
	  "the field was copied from another VMCB, bits of which one knows nothing too",           \
	  svm_vmcb_set_int_control(v, SVM_INT_V_MASKING | SVM_BIT(10)))                            \
	X(shadow_stacks_alone, long, "C23", "", "INVALID",                                         \
	  "shadow stacks were switched on without nested paging",                                  \
	  svm_vmcb_set_np_control(v, SVM_SSS_ENABLE))                                              \
	X(efer_reserved, long, "S02", "", "INVALID, once the guest writes EFER",                   \
	  "the guest's WRMSR of EFER was taken as it came",                                        \
	  svm_vmcb_set_efer(v, svm_vmcb_get_efer(v) | SVM_BIT(9)))                                 \
	X(long_mode_not_there, long, "S03", "--features=-lm", "INVALID",                           \
	  "a 64-bit guest was started on a 32-bit processor", (void)v)                             \
	X(paging_without_pe, long, "S09", "--ignore=W41", "INVALID", "PE was forgotten with PG",   \
	  svm_vmcb_set_cr0(v, svm_vmcb_get_cr0(v) & ~SVM_BIT(0)))                                  \
	X(dr6_not_initialised, long, "S11", "", "INVALID", "the debug registers hold stack bytes", \
	  svm_vmcb_set_dr6(v, 0xffffffffffff0ff0))                                                 \
	X(cet_without_wp, long, "S13", "", "INVALID", "CR4.CET was passed on, CR0.WP was not",     \
	  svm_vmcb_set_cr4(v, PAE | SVM_BIT(23));                                                  \
	  svm_vmcb_set_cr0(v, svm_vmcb_get_cr0(v) & ~SVM_BIT(16)))                                 \
	X(nmi_open, long, "W03", "", "the host's watchdog fires in the guest",                     \
	  "NMIs are not intercepted", no_intercept(v, SVM_EXIT_NMI))                               \
	X(machine_check_open, long, "W11", "", "the guest handles the host's memory error",        \
	  "#MC is not intercepted", no_intercept(v, SVM_EXIT_EXCEPTION + SVM_VECTOR_MC))           \
	X(nmi_without_end, long, "W16", "--given=nmi-in-service", "the guest gets one NMI, ever",  \
	  "an NMI was injected, and IRET is not intercepted", (void)v)                             \
	X(task_switch_open, reset, "W17", "", "a legacy guest's task switch goes astray",          \
	  "task switches are not intercepted", no_intercept(v, SVM_EXIT_TASK_SWITCH))              \
	X(shadow_kept, long, "W24", "", "an interrupt comes an instruction late, or never",        \
	  "an instruction was skipped, the shadow of STI before it was not",                       \
	  v->control.int_state = SVM_INT_STATE_SHADOW; exit_happens(w))                            \
	X(int_n_without_next_rip, long, "W25", "", "the guest returns to address 0",               \
	  "INT 80h was injected and the address behind it not given",                              \
	  v->control.event_inj = SVM_EVENT_VALID | SVM_EVENT_TYPE_SOFT << 8 | 0x80)                \
	X(breakpoints_armed, long, "W38", "", "the host stops at the guest's breakpoints",         \
	  "DR7 is the guest's, MOV DR is not intercepted, DR0 to DR3 are not switched",            \
	  svm_vmcb_set_dr7(v, 0x401); no_intercept(v, SVM_EXIT_DR_WRITE + 7))                      \
	X(paged_real_mode, reset, "W41", "", "undefined", "PG was set and PE forgotten",           \
	  svm_vmcb_set_cr0(v, 0x10 | PG))                                                          \
	X(another_processor, long, "W28", "--given=moved", "now and then: another guest's state",  \
	  "the vCPU moved to another processor, and its clean bits stayed",                        \
	  v->control.clean = SVM_CLEAN_ALL)                                                        \
	/* Right at the first entry, wrong at the second. */                                       \
	X(flush_for_ever, long, "W26", AFTER_EXIT, "each entry costs a whole TLB",                 \
	  "TLB_CONTROL was set for the first entry and never cleared",                             \
	  v->control.exit_code = SVM_EXIT_CPUID; v->control.tlb_control = SVM_TLB_FLUSH_ALL)       \
	X(stale_clean_bit, long, "W28", "", "now and then, on real processors: the old CR0",       \
	  "CR0 was written past its setter, its group is still marked clean",                      \
	  exit_happens(w); v->save._cr0 |= 2)                                                      \
	X(stale_nested_root, long, "W27", "", "the guest sees memory that was taken from it",      \
	  "the nested root was replaced, the ASID's translations kept",                            \
	  exit_happens(w); svm_vmcb_set_ncr3(v, 0x300000))                                         \
	X(pause_without_filter, long, "W12", "", "a spinning guest costs an exit per PAUSE",       \
	  "PAUSE is intercepted, its filter's count was left 0", intercept(v, SVM_EXIT_PAUSE))

#define MAKE(name, start, rule, option, sees, done, ...)                    \
	static void make_##name(struct world *w)                            \
	{                                                                   \
		struct svm_vmcb *v = &w->vmcb;                              \
                                                                            \
		good_##start(v);                                            \
		__VA_ARGS__;                                                \
	}
MISTAKES(MAKE)
#undef MAKE

static const struct mistake {
	const char *name, *rule, *option, *sees, *done;
	void (*make)(struct world *w);
} mistakes[] = {
#define ROW(name, start, rule, option, sees, done, ...) \
	{ #name, rule, option, sees, done, make_##name },
	MISTAKES(ROW)
#undef ROW
};

static int list(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		printf("%s\t%s\t%s\t%s\t%s\n", mistakes[i].name, mistakes[i].rule,
		       *mistakes[i].option ? mistakes[i].option : "-", mistakes[i].sees,
		       mistakes[i].done);
	return EXIT_SUCCESS;
}

static const struct mistake *find(const char *name)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
		if (strcmp(mistakes[i].name, name) == 0)
			return &mistakes[i];
	return NULL;
}

static int put(const void *bytes, size_t size)
{
	return fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0 ? EXIT_SUCCESS
	                                                                     : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct world world;
	const struct mistake *mistake = argc > 1 ? find(argv[argc - 1]) : NULL;
	const char *wanted = argc == 3 ? argv[1] : "";

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (!mistake || argc > 3) {
		fprintf(stderr, "usage: broken --list | [--before | --msrpm | --memory] NAME\n");
		return EXIT_FAILURE;
	}
	memset(world.msrpm, 0xff, sizeof(world.msrpm));
	mistake->make(&world);
	if (argc == 2)
		return put(&world.vmcb, sizeof(world.vmcb));
	if (strcmp(wanted, "--before") == 0 && world.has_before)
		return put(&world.before, sizeof(world.before));
	if (strcmp(wanted, "--msrpm") == 0 && world.has_msrpm)
		return put(world.msrpm, sizeof(world.msrpm));
	if (strcmp(wanted, "--memory") == 0 && world.has_nested)
		return put(world.nested, sizeof(world.nested));
	fprintf(stderr, "broken: %s has none\n", mistake->name);
	return EXIT_FAILURE;
}
