; The guest's DSDT: AML that iasl makes of dsdt.asl at build time.

section .rodata

global dsdt_aml:data hidden
global dsdt_aml_end:data hidden

dsdt_aml:
	incbin "dsdt.aml"
dsdt_aml_end:

section .note.GNU-stack noalloc noexec nowrite progbits
