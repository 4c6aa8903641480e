/* hv/vmx/vmx.h, but its instructions are the model's. */
#ifndef TESTS_THREADS_VMX_H
#define TESTS_THREADS_VMX_H

#define vmread vmread_instruction
#define vmwrite vmwrite_instruction
#define invept invept_instruction
#include_next "hv/vmx/vmx.h"
#undef vmread
#undef vmwrite
#undef invept

u64 vmread(enum vmcs_field field);
void vmwrite(enum vmcs_field field, u64 value);
bool invept(u64 type, const struct invept_descriptor *descriptor);

#endif
