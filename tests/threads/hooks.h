/* Before every source of the product that schedule.c runs: another CPU may go
 * on at each access that is shared. */

void model_step(void);

#define __atomic_load_n(p, order) (model_step(), __atomic_load_n(p, order))
#define __atomic_store_n(p, v, order)                                          \
	(model_step(), __atomic_store_n(p, v, order))
#define __atomic_exchange_n(p, v, order)                                       \
	(model_step(), __atomic_exchange_n(p, v, order))
#define __atomic_compare_exchange_n(p, old, v, weak, success, failure)         \
	(model_step(),                                                         \
	 __atomic_compare_exchange_n(p, old, v, weak, success, failure))
#define __atomic_add_fetch(p, v, order)                                        \
	(model_step(), __atomic_add_fetch(p, v, order))
#define __atomic_fetch_add(p, v, order)                                        \
	(model_step(), __atomic_fetch_add(p, v, order))
#define __atomic_or_fetch(p, v, order)                                         \
	(model_step(), __atomic_or_fetch(p, v, order))
#define __builtin_ia32_pause() model_step()
