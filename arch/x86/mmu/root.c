// SPDX-License-Identifier: GPL-2.0-only
/* root.c - the set of second-level roots of a VM */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mem_encrypt.h>
#include <linux/slab.h>
#include <hv/compat.h>
#include <hv/hv_caps.h>
#include "mmu.h"
#include "slat_ops.h"

/* Only one direct root exists per format and level; nested paging walks as deep as the host. */
static void direct_role(struct hv_vm_x86 *vm, struct hv_mmu_role *role)
{
	bool npt = hv_vendor->vendor == HV_VENDOR_AMD;

	memset(role, 0, sizeof(*role));
	role->kind = HV_MMU_DIRECT;
	role->format = npt ? SLAT_FMT_NPT : SLAT_FMT_EPT;
	role->level = npt && pgtable_l5_enabled() ? 5 : 4;
	if (vm->core.flags & HV_VM_F_SMALL_PAGES)
		role->flags = HV_MMU_F_SMALL;
}

void *hv_mmu_table_alloc(gfp_t gfp)
{
	void *table = (void *)__get_free_page(gfp | __GFP_ZERO);

	if (table)
		hv_compat_slat_account(table, 1);
	return table;
}

void hv_mmu_table_free(void *table)
{
	hv_compat_slat_account(table, -1);
	free_page((unsigned long)table);
}

static struct hv_mmu_root *root_alloc(struct hv_vm_x86 *vm, const struct hv_mmu_role *role,
				      const struct hv_mmu_root_ops *ops)
{
	struct hv_mmu_root *root = kzalloc(sizeof(*root), GFP_KERNEL_ACCOUNT);
	void *top;

	if (!root)
		return NULL;
	top = hv_mmu_table_alloc(GFP_KERNEL_ACCOUNT);
	if (!top) {
		kfree(root);
		return NULL;
	}
	hv_slat_root_init(&root->slat, role->format, role->level, top, PAGE_OFFSET, sme_me_mask);
	root->role = *role;
	root->ops = ops;
	root->vm = &vm->core;
	root->gen = 1;
	root->refs = 1;
	INIT_LIST_HEAD(&root->link);
	return root;
}

static void root_free(struct hv_mmu_root *root)
{
	if (!root)
		return;
	hv_mmu_table_free(root->slat.top);
	kfree(root);
}

static struct hv_mmu_root *find_locked(struct hv_mmu_roots *roots, const struct hv_mmu_role *role)
{
	struct hv_mmu_root *root;

	list_for_each_entry(root, &roots->list, link)
		if (!memcmp(&root->role, role, sizeof(*role)))
			return root;
	return NULL;
}

struct hv_mmu_root *hv_mmu_root_get(struct hv_vm_x86 *vm, const struct hv_mmu_role *role,
				    const struct hv_mmu_root_ops *ops)
{
	struct hv_mmu_root *root, *fresh = NULL;

	for (;;) {
		spin_lock(&vm->core.mmu_lock);
		root = find_locked(vm->roots, role);
		if (root) {
			root->refs++;
		} else if (fresh) {
			root = fresh;
			fresh = NULL;
			list_add_tail(&root->link, &vm->roots->list);
		}
		spin_unlock(&vm->core.mmu_lock);
		if (root)
			break;
		fresh = root_alloc(vm, role, ops);
		if (!fresh)
			return NULL;
	}
	root_free(fresh);
	return root;
}

void hv_mmu_root_put(struct hv_mmu_root *root)
{
	struct hv_vm *vm = root->vm;
	bool last;

	spin_lock(&vm->mmu_lock);
	last = !--root->refs;
	if (last)
		list_del(&root->link);
	spin_unlock(&vm->mmu_lock);
	if (!last)
		return;
	root->ops->release(root);
	root_free(root);
}

int hv_mmu_vm_create(struct hv_vm_x86 *vm)
{
	struct hv_mmu_roots *roots = kzalloc(sizeof(*roots), GFP_KERNEL_ACCOUNT);
	struct hv_mmu_role role;

	if (!roots)
		return -ENOMEM;
	INIT_LIST_HEAD(&roots->list);
	xa_init(&roots->tracked);
	roots->max_level = 1;
	if (!(vm->core.flags & HV_VM_F_SMALL_PAGES)) {
		u64 has = hv_arch_hw_features();

		roots->max_level = has & HV_HWF_SLAT_1G ? 3 : has & HV_HWF_SLAT_2M ? 2 : 1;
	}
	vm->roots = roots;
	direct_role(vm, &role);
	roots->direct = hv_mmu_root_get(vm, &role, &hv_mmu_direct_ops);
	if (!roots->direct) {
		kfree(roots);
		vm->roots = NULL;
		return -ENOMEM;
	}
	vm->core.stat.slat_tables = 1;
	return 0;
}

void hv_mmu_vm_release(struct hv_vm_x86 *vm)
{
	if (!vm->roots)
		return;
	hv_mmu_root_put(vm->roots->direct);
	WARN_ON_ONCE(!list_empty(&vm->roots->list));
	hv_mmu_free_chain(&vm->roots->freed);
	xa_destroy(&vm->roots->tracked);
	kfree(vm->roots);
	vm->roots = NULL;
}

struct hv_mmu_root *hv_mmu_root_direct(struct hv_vm_x86 *vm)
{
	return vm->roots->direct;
}

hv_spa_t hv_mmu_root_spa(struct hv_mmu_root *root)
{
	return __pa(root->slat.top) | root->slat.mask;
}

void hv_mmu_vcpu_release(struct hv_vcpu_x86 *x)
{
	hv_mmu_cache_release(x);
}
