/* What the guest loses where memory is not equally near to all processors. */
#ifndef HV_MACHINE_NODES_H
#define HV_MACHINE_NODES_H

/* Log how much of the guest's RAM and how many of its processors each node of
 * the machine has, if there are several: the guest is not told.  After the
 * guest's map and vcpu_count are known. */
void machine_log_nodes(void);

#endif
