/*
 * What system/vmx_helper.c does for the rest of TCG.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef I386_TCG_VMX_H
#define I386_TCG_VMX_H

/* MSRs that TCG has not otherwise; -1: #GP */
int vmx_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *val);
int vmx_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val);
bool vmx_pat_ok(uint64_t pat);
void vmx_do_exit(CPUX86State *env);
G_NORETURN void vmx_triple_fault(CPUX86State *env, uintptr_t retaddr);
G_NORETURN void vmx_task_switch(CPUX86State *env, uint32_t selector, int source,
                                uint32_t insn_len, uintptr_t retaddr);
bool vmx_ept_walk(CPUX86State *env, uint64_t gpa, MMUAccessType access,
                  hwaddr *hpa, int *prot, uint64_t *page_size,
                  uint32_t *fault);
bool vmx_walk_is_read(CPUX86State *env);
enum vmx_gla { VMX_GLA_NONE, VMX_GLA_WALK, VMX_GLA_ACCESS };
G_NORETURN void vmx_ept_exit(CPUX86State *env, uint32_t fault, uint64_t gpa,
                             uint64_t gla, enum vmx_gla gla_kind,
                             uintptr_t retaddr);

/* system/vmx_tlb.c: before and after a VM entry or exit changes the state */
void vmx_tlb_leave(CPUX86State *env);
void vmx_tlb_enter(CPUX86State *env);
/* What the instructions, their operands checked, and an EPT violation forget */
void vmx_tlb_invept(CPUX86State *env, uint64_t type, uint64_t eptp);
void vmx_tlb_invvpid(CPUX86State *env, uint64_t type, uint64_t vpid,
                     uint64_t linear);
void vmx_tlb_violation(CPUX86State *env, uint64_t gpa, uint64_t gla,
                       enum vmx_gla gla_kind);

void vmx_check_intercept(CPUX86State *env, uint32_t type, uint64_t param,
                         uintptr_t retaddr);
void vmx_check_io(CPUX86State *env, uint32_t port, uint32_t param,
                  uint32_t insn_len, uintptr_t retaddr);
bool vmx_write_cr(CPUX86State *env, uint32_t qualification, target_ulong *val,
                  uintptr_t retaddr);
void vmx_page_fault(CPUX86State *env, int vector, int error, uint64_t addr);
void vmx_check_exception(CPUX86State *env, int vector, bool is_int, int error,
                         uint32_t insn_len, uintptr_t retaddr);
void vmx_event_begin(CPUX86State *env, int vector, bool is_int, int error,
                     uint64_t next_eip, bool is_hw);
void vmx_event_end(CPUX86State *env);
bool vmx_take_interrupt(CPUX86State *env, int interrupt);

/* system/vmx_count.c: nothing is counted unless -cpu ...,x-count=on */
extern bool vmx_counting;
void vmx_count_exit(CPUX86State *env, uint32_t reason);
void vmx_count_entry(CPUX86State *env);
void vmx_count_pause(CPUX86State *env);
void vmx_count_rewind(CPUX86State *env, uint32_t tb_flags, unsigned done);

#endif
