/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_RULES_H
#define LIBSVM_RULES_H
/**
 * @file
 * @brief Every rule that svm_audit() checks, one table, and what it cannot see, another.
 *
 * Letters: V the VMRUN instruction itself, C control area, S save area, H the host's state that
 * \#VMEXIT loads, W legal but deadly.  A rule keeps its id for ever; no id is used twice.
 */

/** @addtogroup svm_why
 *  @{ */

/** How bad a finding is. */
enum svm_severity {
	SVM_SEVERITY_ERROR,   /**< VMRUN refuses or faults, or the result is undefined. */
	SVM_SEVERITY_WARNING, /**< Legal, and usually a hang, a leak or a hole. */
};

/** What an audit checks: X(id, severity, section, sentence, advice). */
#define SVM_RULES(X)                                                                               \
	/* The instruction. */                                                                     \
	X(V01, ERROR, "15.5.1", "VMRUN outside protected mode or with the host's EFER.SVME clear", \
	  "call svm_cpu_online() on this CPU first")                                               \
	X(V02, ERROR, "15.5.1", "VMRUN above privilege level 0", "run the monitor in ring 0")      \
	X(V03, ERROR, "15.5.1", "the VMCB's address is unaligned or beyond MAXPHYADDR",            \
	  "give VMRUN the physical address of a 4 KiB frame")                                      \
	X(V04, ERROR, "15.30.4", "the host save area is absent, unaligned or beyond MAXPHYADDR",   \
	  "give VM_HSAVE_PA a 4 KiB frame of this CPU's own")                                      \
	X(V06, ERROR, "15.5.1", "the VMCB and the host save area are one page",                    \
	  "give each its own frame")                                                               \
	/* Control area. */                                                                        \
	X(C01, ERROR, "15.5.1", "the VMRUN intercept is clear",                                    \
	  "set bit 0 of the intercept word at 010h")                                               \
	X(C02, ERROR, "15.5.1", "the ASID is 0, which belongs to the host",                        \
	  "use 1 up to CPUID Fn8000_000A EBX minus 1")                                             \
	X(C03, ERROR, "15.5.1", "the ASID is beyond what the processor has",                       \
	  "use 1 up to CPUID Fn8000_000A EBX minus 1")                                             \
	X(C04, ERROR, "15.11", "the MSR permission map ends beyond MAXPHYADDR",                    \
	  "give the physical address of 8 KiB below it")                                           \
	X(C05, ERROR, "15.10.1", "the I/O permission map ends beyond MAXPHYADDR",                  \
	  "give the physical address of 12 KiB below it")                                          \
	X(C06, WARNING, "15.10.1", "a permission map is unaligned; the low 12 bits are ignored",   \
	  "align the map to 4 KiB, or another page is used")                                       \
	X(C07, ERROR, "15.20", "the event to inject has a reserved type",                          \
	  "use 0 interrupt, 2 NMI, 3 exception or 4 INT n")                                        \
	X(C08, ERROR, "15.20", "the exception to inject has a vector that is none",                \
	  "inject vector 2 as type 2 and vectors above 31 as type 0")                              \
	X(C09, ERROR, "15.20", "the exception to inject cannot happen in 64-bit mode",             \
	  "BOUND and INTO do not exist there; inject another exception")                           \
	X(C10, ERROR, "15.20", "reserved bits of the event to inject are set",                     \
	  "write 0 to bits 30:12")                                                                 \
	X(C11, WARNING, "15.20", "the exception to inject pushes a frame of the wrong size",       \
	  "set bit 11 for vectors with an error code and for no other")                            \
	X(C12, WARNING, "15.20", "an NMI to inject has a vector; it is ignored",                   \
	  "write 2, or use type 0 if an interrupt was meant")                                      \
	X(C13, ERROR, "15.25.12", "nested paging is on and the processor has none",                \
	  "test CPUID Fn8000_000A EDX bit 0")                                                      \
	X(C14, ERROR, "15.25.3", "nested paging is on while the host runs without paging",         \
	  "set the host's CR0.PG before VMRUN")                                                    \
	X(C15, ERROR, "15.25.4", "the nested root has bits that the host's mode reserves",         \
	  "give nCR3 the physical address of a table below MAXPHYADDR")                            \
	X(C16, ERROR, "15.25.4", "the guest's PAT has a memory type that does not exist",          \
	  "use 0, 1, 4, 5, 6 or 7 in each byte; 0007040600070406h is the reset value")             \
	X(C17, ERROR, "15.34.3", "SEV is on without what it needs",                                \
	  "SEV needs nested paging; SEV-ES needs SEV and LBR virtualisation")                      \
	X(C18, ERROR, "15.21.10", "virtual NMIs lack the NMI intercept or the CPU's support",      \
	  "intercept NMI, and test CPUID Fn8000_000A EDX bit 25")                                  \
	X(C19, ERROR, "15.29.4", "the virtual interrupt controller (AVIC) is set up wrongly",      \
	  "it needs CPUID, nested paging, aligned pages below MAXPHYADDR, and an index in range")  \
	X(C20, ERROR, "15.16.1", "the TLB command is reserved or this processor lacks it",         \
	  "use 0 or 1; 3 and 7 only with FlushByAsid (CPUID Fn8000_000A EDX bit 6)")               \
	X(C21, ERROR, "15.23.2", "the processor lacks a virtualisation that is switched on",       \
	  "test CPUID Fn8000_000A EDX before setting a bit of 0B8h")                               \
	X(C22, ERROR, "15.12.3", "reserved bits of the control area are set",                      \
	  "build the field from named bits, never by copying")                                     \
	X(C23, ERROR, "15.25.14", "supervisor shadow stacks are checked without nested paging",    \
	  "set NP_ENABLE too")                                                                     \
	/* Save area. */                                                                           \
	X(S01, ERROR, "15.5.1", "EFER.SVME is clear", "OR SVME into the guest's EFER, always")     \
	X(S02, ERROR, "15.5.1", "EFER has bits that this processor reserves",                      \
	  "refuse the guest's WRMSR with #GP instead")                                             \
	X(S03, ERROR, "15.5.1", "EFER asks for long mode on a processor without it",               \
	  "clear LME and LMA")                                                                     \
	X(S04, ERROR, "15.5.1", "CR0.NW is set while CR0.CD is clear", "set CD or clear NW")       \
	X(S05, ERROR, "15.5.1", "the upper half of CR0 is not 0", "clear bits 63:32")              \
	X(S06, ERROR, "15.5.1", "CR3 has bits beyond MAXPHYADDR",                                  \
	  "give CR3 a guest-physical address that the processor can form")                         \
	X(S07, ERROR, "15.5.1", "CR4 has bits that this processor reserves",                       \
	  "refuse the guest's MOV CR4 with #GP instead")                                           \
	X(S08, ERROR, "15.5.1", "long mode with paging but without CR4.PAE", "set CR4.PAE")        \
	X(S09, ERROR, "15.5.1", "long mode with paging but without CR0.PE", "set CR0.PE")          \
	X(S10, ERROR, "15.5.1", "CS.L and CS.D are both set in long mode",                         \
	  "64-bit code has D = 0; compatibility mode has L = 0")                                   \
	X(S11, ERROR, "15.5.1", "the upper half of DR6 is not 0", "clear bits 63:32")              \
	X(S12, ERROR, "15.5.1", "the upper half of DR7 is not 0", "clear bits 63:32")              \
	X(S13, ERROR, "15.5.1", "CR4.CET is set without CR0.WP, or S_CET has reserved bits",       \
	  "set WP; write only bits 1:0 of S_CET")                                                  \
	/* What #VMEXIT loads: a mistake here is a shutdown of the host, after the guest ran. */   \
	X(H01, ERROR, "15.6", "the host's CR3 has bits beyond MAXPHYADDR",                         \
	  "repair the host before it enters a guest")                                              \
	X(H02, ERROR, "15.6", "a host segment register has no descriptor in the GDT",              \
	  "load CS, SS, DS and ES from the GDT or with null; LDTR is the guest's after an exit")   \
	X(H03, ERROR, "15.6", "the host's CR0 or CR4 has reserved bits or combinations",           \
	  "repair the host before it enters a guest")                                              \
	X(H04, ERROR, "15.6", "the host would go on at an address that is not canonical",          \
	  "VMRUN belongs into ordinary code")                                                      \
	/* Legal, and a hang, a leak or a hole: intercepts. */                                     \
	X(W01, WARNING, "15.9", "HLT is not intercepted: the CPU sleeps inside the guest",         \
	  "intercept HLT and let the host idle")                                                   \
	X(W02, WARNING, "15.13.1", "interrupts are not intercepted: the host's go to the guest",   \
	  "intercept INTR; the interrupt stays pending for the host")                              \
	X(W03, WARNING, "15.13.2", "NMIs are not intercepted: the host's go to the guest",         \
	  "intercept NMI; it stays pending for the host")                                          \
	X(W04, WARNING, "15.14.3", "a triple fault of the guest resets the machine",               \
	  "intercept SHUTDOWN")                                                                    \
	X(W05, WARNING, "15.13.4", "INIT is not intercepted, or SMI is while ports are open",      \
	  "intercept INIT; intercept SMI only if every port is intercepted")                       \
	X(W06, WARNING, "15.10", "the guest reaches the machine's I/O ports",                      \
	  "intercept IOIO and give the map a frame of ones to start with")                         \
	X(W07, WARNING, "15.11", "the guest reaches the machine's MSRs",                           \
	  "intercept MSR and give the map a frame of ones to start with")                          \
	X(W08, WARNING, "15.11", "the guest may write an MSR that belongs to the host",            \
	  "set the register's upper bit in the MSR permission map")                                \
	X(W09, WARNING, "15.5.2", "the guest may execute an instruction that acts on the host",    \
	  "intercept VMLOAD, VMSAVE, STGI, CLGI, SKINIT and INVLPGA: EFER.SVME is set in a guest") \
	X(W10, WARNING, "15.12", "#DB or #AC is not intercepted: a guest can loop in microcode",   \
	  "intercept both and inject them again")                                                  \
	X(W11, WARNING, "15.12.18", "#MC is not intercepted: the guest handles the host's errors", \
	  "intercept #MC and hand it to the host")                                                 \
	X(W12, WARNING, "15.14.4", "each PAUSE exits: the filter's count is 0",                    \
	  "set a count, some thousands, or drop the intercept")                                    \
	X(W13, WARNING, "15.9", "XSETBV is not intercepted: the guest sets the real XCR0",         \
	  "intercept XSETBV, or switch XCR0 around every entry")                                   \
	X(W14, WARNING, "15.9", "INVD is not intercepted: it drops the host's dirty cache lines",  \
	  "intercept INVD and do nothing, or WBINVD")                                              \
	X(W15, WARNING, "15.9", "MONITOR or MWAIT is not intercepted: the CPU sleeps there",       \
	  "intercept both")                                                                        \
	X(W16, WARNING, "15.20", "an NMI is in service and nothing tells when it ends",            \
	  "intercept IRET, or use virtual NMIs")                                                   \
	X(W17, WARNING, "15.14.1", "task switches, FERR freezes or the host's breakpoints leak",   \
	  "intercept TASK_SWITCH, FERR_FREEZE and, with host breakpoints, MOV DR")                 \
	/* Interrupts and events. */                                                               \
	X(W18, WARNING, "15.21.1", "CLI in the guest blocks the host's interrupts",                \
	  "set V_INTR_MASKING with the INTR intercept")                                            \
	X(W19, WARNING, "15.21.1", "the host enters with IF clear: the guest cannot be preempted", \
	  "CLGI, then STI well before VMRUN")                                                      \
	X(W20, WARNING, "15.21.4", "the interrupt window stays shut: priority is not above V_TPR", \
	  "set V_IGN_TPR for a window")                                                            \
	X(W21, WARNING, "15.21.4", "one interrupt is both injected and pending as V_IRQ",          \
	  "clear V_IRQ when the vector is injected")                                               \
	X(W22, WARNING, "15.20", "an interrupt is injected although the guest masks interrupts",   \
	  "wait for the window: injection asks neither IF nor the shadow")                         \
	X(W23, WARNING, "15.7.2", "an interrupt or NMI is lost: an exit cut its delivery short",   \
	  "copy EXITINTINFO to EVENTINJ, or merge it with the new fault")                          \
	X(W24, WARNING, "15.21.5", "RIP moved past an instruction, the interrupt shadow stayed",   \
	  "clear bit 0 of 068h when an instruction is skipped")                                    \
	X(W25, WARNING, "15.20", "a software interrupt is injected and the next RIP is 0",         \
	  "set 0C8h: it is the return address that is pushed")                                     \
	/* TLB and memory. */                                                                      \
	X(W26, WARNING, "15.16.1", "the TLB command stands on after the exit: each entry flushes", \
	  "clear it after each exit: VMRUN does not")                                              \
	X(W27, WARNING, "15.16", "this ASID's translations are stale: paging changed, no flush",   \
	  "flush, or take an ASID that was not used since the last flush")                         \
	X(W28, WARNING, "15.15.2", "a changed field is marked clean: the processor may miss it",   \
	  "write fields through svm_vmcb_set_*(); clear all bits on another CPU")                  \
	X(W29, WARNING, "15.25.5", "a nested entry lacks the user bit: every access faults",       \
	  "set U/S in every nested entry")                                                         \
	X(W30, WARNING, "15.25.5", "the guest's page tables are read-only: every walk faults",     \
	  "map them writable: a walk counts as a write")                                           \
	X(W32, WARNING, "15.25.4", "the nested root is page 0", "give nCR3 the root of tables")    \
	X(W33, WARNING, "15.25.5", "the guest has no memory where it starts or keeps its tables",  \
	  "map memory at CS base + RIP, or at CR3 once it pages")                                  \
	X(W34, WARNING, "15.25.8", "the guest runs uncached",                                      \
	  "check G_PAT, CR0.CD and the nested leaves")                                             \
	/* Guest state. */                                                                         \
	X(W35, WARNING, "15.5.1", "a segment register is not as the processor would have made it", \
	  "CS present, SS.DPL = CPL, TR a busy TSS, a null LDTR with selector 0")                  \
	X(W36, WARNING, "15.5.1", "RFLAGS bit 1 is clear or reserved bits are set",                \
	  "set bit 1; clear bits 3, 5, 15 and 63:22")                                              \
	X(W37, WARNING, "15.5.1", "RIP is not canonical or beyond the code segment: #GP at once",  \
	  "check the entry point against CS")                                                      \
	X(W38, WARNING, "15.9", "breakpoints are armed and nobody watches the debug registers",    \
	  "intercept MOV DR, or switch DR0 to DR3 around entries")                                 \
	X(W40, WARNING, "15.14.3", "the last exit left the save area undefined",                   \
	  "reset the vCPU, or restore a copy, before it runs again")                               \
	X(W41, WARNING, "15.19", "paged real mode without a #PF intercept is undefined",           \
	  "intercept #PF")                                                                         \
	X(W42, WARNING, "15.5.1", "segment attributes are in VMX's form, or a descriptor's",     \
	  "pack bits 47:40 and 55:52 of the descriptor into bits 11:0: G is bit 11, L bit 9")      \
	X(W43, WARNING, "15.5.1", "EFER.LMA is not what EFER.LME and CR0.PG make of it",           \
	  "set LMA exactly if LME and PG are set: VMRUN takes the bit as it stands")               \
	X(W44, WARNING, "15.25.4", "the nested root has low bits, as an EPT pointer has",          \
	  "give nCR3 a page's address; nested tables have the format of ordinary ones, not EPT's") \
	X(W45, WARNING, "15.5.1", "DR6 lacks bits that a processor always shows as 1",             \
	  "start with FFFF0FF0h, the value at reset")

/**
 * Rules that a VMCB and svm_audit_context do not decide: X(id, sentence, why not).
 * Ids with a part that is seen are in both tables.
 */
#define SVM_RULES_UNSEEN(X)                                                                        \
	X(V05, "the VMCB, the host save area or a map lies in memory that the firmware reserves",  \
	  "only the host's memory map knows; svm_hal_check() tries the frames it is given")        \
	X(V06, "two CPUs run one VMCB at once", "a matter of time; the vCPU states forbid it")     \
	X(C17, "SEV with HWCR.SmmLock clear or an ASID beyond the encrypted ones",                 \
	  "the library never sets the SEV bits; it reads neither register")                        \
	X(S13, "CR4.CET with U_CET's shadow stack in virtual-8086 mode",                           \
	  "U_CET is an MSR that the VMCB of an ordinary guest does not hold")                      \
	X(S14, "reserved bits in the PDPTEs of a PAE guest without nested paging",                 \
	  "the library has no guests without nested paging; with it a walk finds them: 15.25.10")  \
	X(S15, "CR0.PG without CR0.PE", "legal for VMRUN; W41 tells when it is deadly")            \
	X(H01, "reserved bits in the host's PDPTEs", "a host in long mode has none")               \
	X(H02, "the host's GDT is not mapped present and writable",                                \
	  "that is the host's page tables, not its registers")                                     \
	X(H04, "the host's RIP lies beyond its code segment",                                      \
	  "code segments have no limit in long mode")                                              \
	X(W08, "SPEC_CTRL open to the guest and not switched", "switching is code, not state")     \
	X(W23, "an exception whose delivery was cut short is dropped",                             \
	  "executing its instruction again raises it again, and a monitor may choose that")        \
	X(W26, "a TLB command that was forgotten, before an entry",                                \
	  "one that is wanted looks the same; it is judged in dumps (svm_audit_context.at_rest)")  \
	X(W27, "an ASID that another VM used on this CPU since the last flush",                    \
	  "that is the CPU's history; the strict processor of the hosted port keeps it")           \
	X(W28, "a VMCB that was copied or moved to another frame with clean bits set",             \
	  "it looks like any other; svm_audit_context.moved says it if the caller knows")          \
	X(W31, "the nested tables map a VMCB, a table, a permission map or the host writable",     \
	  "that is all of the nested tables read backwards")                                       \
	X(W32, "the nested root lies in guest memory", "as W31")                                   \
	X(W39, "a TSC offset made for another TSC ratio",                                          \
	  "the ratio is an MSR per CPU, not in the VMCB")

/** Rules by id. */
enum svm_rule {
#define SVM_RULE_ENUM(id, severity, section, text, advice) SVM_RULE_##id,
	SVM_RULES(SVM_RULE_ENUM)
#undef SVM_RULE_ENUM
	SVM_RULE_COUNT,
};

/** @} */

#endif
