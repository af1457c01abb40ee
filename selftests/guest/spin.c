// SPDX-License-Identifier: GPL-2.0-or-later
/* spin.c - says so once, then computes for ever without an exit of its own */
#include "guest.h"

void main(void)
{
	volatile u64 n = 0;

	print("spinning\n");
	for (;;)
		n++;
}
