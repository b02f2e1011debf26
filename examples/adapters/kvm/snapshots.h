/* SPDX-License-Identifier: Apache-2.0 */
/* States of the machine that are kept, as a hypervisor saves and restores them for a migration. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#define SNAPSHOTS 4

/* Keeps the state in a slot, or makes a new machine with the state in it. NULL, or why that cannot be done. */
const char *snapshot_take(unsigned slot);
const char *snapshot_restore(unsigned slot);
/* Empties all slots. */
void snapshots_forget(void);

#endif
