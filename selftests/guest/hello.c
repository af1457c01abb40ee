// SPDX-License-Identifier: GPL-2.0-or-later
/* hello.c - the smallest guest: long mode, the UART, one survived fault, the way out */
#include "guest.h"

void main(void)
{
	print("hello\n");
	check(true, "long mode and the UART work");
	check_eq((u64)store_safe(16ull << 30, 0), VEC_PF, "an unmapped page faults");
	check_eq(option("answer", 42), 42, "the command line can be read");
}
