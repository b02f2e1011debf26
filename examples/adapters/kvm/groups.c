/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group 0 enabled and Group 1 disabled on an emulated host. KVM of Linux 6.19 and later asks for a maintenance interrupt when
 * the guest disables a group that is enabled (ICH_HCR_EL2.VGrp0DIE). In QEMU, up to 11.1 at least, that of Group 0 is pending
 * while Group 1 is disabled (docs/findings.md), so that a guest in this state does not run: it leaves KVM at each entry. Group 0 is
 * therefore enabled when Group 1 is, and not before. That makes a difference only if an interrupt of Group 0 is pending, or if
 * the trace acknowledges one: then the adapter ends and says so.
 */
#include "stimuli.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

bool delays_group0;
static bool wanted[PES_MAX][2]; /* what the trace enables: Group 0, Group 1 */

void groups_init(bool is_emulated)
{
    struct utsname host;
    char *rest;
    uname(&host);
    unsigned long major = strtoul(host.release, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
    delays_group0 = is_emulated && (major > 6 || (major == 6 && minor >= 19));
}

void groups_reset(unsigned pe)
{
    wanted[pe][0] = wanted[pe][1] = false;
}

static bool is_delayed(unsigned pe)
{
    return delays_group0 && wanted[pe][0] && !wanted[pe][1];
}

static void cannot(void)
{
    abandon("Group 0 is used while Group 1 is disabled, and guests of KVM of Linux 6.19 and later do not run so in QEMU");
}

void groups_pending(unsigned pe, bool is_zero)
{
    if (is_zero && is_delayed(pe))
        cannot();
}

void groups_before(unsigned pe, uint32_t number)
{
    if (is_delayed(pe) && (number == ICC_IAR0 || number == ICC_HPPIR0))
        cannot();
}

void groups_enable(unsigned n, unsigned pe, bool is_one, bool enable, const uint64_t at[2], uint32_t kind)
{
    flush();
    bool was_on = wanted[pe][0] && wanted[pe][1];
    wanted[pe][is_one] = enable;
    bool on = wanted[pe][0] && wanted[pe][1];
    if (!is_one) {
        if (enable == on)
            add(pe, n, kind, at[0], on);
        else
            add(pe, n, DO_NOTHING, 0, 0);
    } else if (enable) {
        if (on)
            add_unseen(pe, n, kind, at[1], 1);
        add(pe, n, kind, at[on ? 0 : 1], 1);
    } else {
        if (was_on)
            add_unseen(pe, n, kind, at[0], 0);
        add(pe, n, kind, at[1], 0);
    }
    flush();
}

void groups_read(unsigned n, unsigned pe, bool is_one)
{
    flush();
    if (!is_one && is_delayed(pe))
        responses[n].value |= 1;
}

void groups_snapshot(void)
{
    if (delays_group0)
        abandon("there are no snapshots on KVM of Linux 6.19 and later in QEMU, where Group 0 may be enabled later than it should");
}
