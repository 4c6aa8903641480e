/* The interrupt descriptor table: one for all CPUs. */
#ifndef HV_IDT_H
#define HV_IDT_H

/* Fill it, once, before the first cpu_load_tables(). */
void idt_init(void);

/* Load it on this CPU. */
void idt_load(void);

#endif
