// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_alu.c - integer arithmetic and its flags
 *
 * Operands come and go as 64-bit values of which the low @size bytes count.
 */
#include "insn_exec_priv.h"

#define CF	((u64)HV_FLAG_CF)
#define PF	((u64)HV_FLAG_PF)
#define AF	((u64)HV_FLAG_AF)
#define ZF	((u64)HV_FLAG_ZF)
#define SF	((u64)HV_FLAG_SF)
#define OF	((u64)HV_FLAG_OF)
#define ARITH	((u64)HV_FLAG_ARITH)

/* SF, ZF and PF of a result. */
static u64 szp(u64 val, unsigned int size)
{
	u8 low = (u8)val;
	u64 f = 0;

	low ^= low >> 4;
	if (0x9669 >> (low & 15) & 1)
		f |= PF;
	if (!(val & size_mask(size)))
		f |= ZF;
	if (val & sign_bit(size))
		f |= SF;
	return f;
}

static struct hv_alu add(u64 a, u64 b, u64 carry, unsigned int size, u64 flags)
{
	u64 mask = size_mask(size), r = (a + b + carry) & mask, f = szp(r, size);

	a &= mask;
	b &= mask;
	if (r < a || (carry && r == a))
		f |= CF;
	if ((a ^ b ^ r) & 0x10)
		f |= AF;
	if ((a ^ r) & (b ^ r) & sign_bit(size))
		f |= OF;
	return (struct hv_alu){ r, (flags & ~ARITH) | f };
}

static struct hv_alu sub(u64 a, u64 b, u64 borrow, unsigned int size, u64 flags)
{
	u64 mask = size_mask(size), r = (a - b - borrow) & mask, f = szp(r, size);

	a &= mask;
	b &= mask;
	if (a < b || (borrow && a == b))
		f |= CF;
	if ((a ^ b ^ r) & 0x10)
		f |= AF;
	if ((a ^ b) & (a ^ r) & sign_bit(size))
		f |= OF;
	return (struct hv_alu){ r, (flags & ~ARITH) | f };
}

static struct hv_alu logic(u64 r, unsigned int size, u64 flags)
{
	r &= size_mask(size);
	return (struct hv_alu){ r, (flags & ~ARITH) | szp(r, size) };
}

struct hv_alu hv_alu_arith(unsigned int op, u64 a, u64 b, unsigned int size, u64 flags)
{
	struct hv_alu r;

	switch (op) {
	case HV_INSN_OP_ADD: case HV_INSN_OP_XADD:
		return add(a, b, 0, size, flags);
	case HV_INSN_OP_ADC:
		return add(a, b, flags & CF, size, flags);
	case HV_INSN_OP_SBB:
		return sub(a, b, flags & CF, size, flags);
	case HV_INSN_OP_SUB: case HV_INSN_OP_CMP:
		return sub(a, b, 0, size, flags);
	case HV_INSN_OP_OR:
		return logic(a | b, size, flags);
	case HV_INSN_OP_AND: case HV_INSN_OP_TEST:
		return logic(a & b, size, flags);
	case HV_INSN_OP_XOR:
		return logic(a ^ b, size, flags);
	case HV_INSN_OP_NEG:
		return sub(0, a, 0, size, flags);
	case HV_INSN_OP_INC: case HV_INSN_OP_DEC:
		r = op == HV_INSN_OP_INC ? add(a, 1, 0, size, flags) : sub(a, 1, 0, size, flags);
		r.flags = (r.flags & ~CF) | (flags & CF);
		return r;
	default:		/* NOT */
		return (struct hv_alu){ ~a & size_mask(size), flags };
	}
}

/* ROL, ROR, RCL, RCR: only CF and OF change, and only when the count is not 0. */
static struct hv_alu rotate(unsigned int op, u64 a, unsigned int count, unsigned int size, u64 flags)
{
	unsigned int width = 8 * size, n;
	bool left = op == HV_INSN_OP_ROL || op == HV_INSN_OP_RCL, carry = flags & CF, top, out;
	bool through = op == HV_INSN_OP_RCL || op == HV_INSN_OP_RCR;

	a &= size_mask(size);
	n = count % (through ? width + 1 : width);
	for (; n; n--) {
		top = a & sign_bit(size);
		out = left ? top : a & 1;
		if (left)
			a = (a << 1 | (through ? carry : out)) & size_mask(size);
		else
			a = a >> 1 | (through ? carry : out) * sign_bit(size);
		carry = out;
	}
	top = a & sign_bit(size);
	if (!through)
		carry = left ? a & 1 : top;
	flags &= ~(CF | OF);
	if (carry)
		flags |= CF;
	if (left ? top != carry : top != !!(a & sign_bit(size) >> 1))
		flags |= OF;
	return (struct hv_alu){ a, flags };
}

struct hv_alu hv_alu_shift(unsigned int op, u64 a, u64 count, unsigned int size, u64 flags)
{
	unsigned int width = 8 * size, n = (u8)count & (size == 8 ? 63 : 31);
	u64 r, out, f;

	if (!n)
		return (struct hv_alu){ a & size_mask(size), flags };
	a &= size_mask(size);
	switch (op) {
	case HV_INSN_OP_ROL: case HV_INSN_OP_ROR: case HV_INSN_OP_RCL: case HV_INSN_OP_RCR:
		return rotate(op, a, n, size, flags);
	case HV_INSN_OP_SHR:
		r = a >> (n - 1);
		out = r & 1;
		r >>= 1;
		f = (a & sign_bit(size)) && n == 1 ? OF : 0;
		break;
	case HV_INSN_OP_SAR:
		r = sign_extend(a, size);
		r = (u64)((s64)r >> (n - 1));
		out = r & 1;
		r = (u64)((s64)r >> 1) & size_mask(size);
		f = 0;
		break;
	default:
		r = a << (n - 1);
		out = n <= width ? r & sign_bit(size) : 0;
		r = (r << 1) & size_mask(size);
		f = !!(r & sign_bit(size)) != !!out ? OF : 0;
		break;
	}
	f |= szp(r, size) | (out ? CF : 0);
	return (struct hv_alu){ r, (flags & ~ARITH) | f };
}

/* SHLD, SHRD. A count beyond the width (16-bit only) is undefined: the pair rotates. */
struct hv_alu hv_alu_shift2(bool right, u64 a, u64 b, u64 count, unsigned int size, u64 flags)
{
	unsigned int width = 8 * size, n = (u8)count & (size == 8 ? 63 : 31);
	u64 mask = size_mask(size), r, out, f;

	a &= mask;
	b &= mask;
	if (!n)
		return (struct hv_alu){ a, flags };
	if (n > width) {
		u64 t = a;

		n -= width;
		a = b;
		b = t;
	}
	if (right) {
		out = a >> (n - 1) & 1;
		r = (a >> (n - 1) >> 1) | b << (width - n);
	} else {
		out = a >> (width - n) & 1;
		r = (a << (n - 1) << 1) | b >> (width - n);
	}
	r &= mask;
	f = szp(r, size) | (out ? CF : 0);
	if ((a ^ r) & sign_bit(size))
		f |= OF;
	return (struct hv_alu){ r, (flags & ~ARITH) | f };
}

static unsigned int bit_low(u64 v)
{
	return (unsigned int)__builtin_ctzll(v);
}

static unsigned int bit_high(u64 v)
{
	return 63 - (unsigned int)__builtin_clzll(v);
}

static unsigned int bit_count(u64 v)
{
	v -= v >> 1 & 0x5555555555555555ull;
	v = (v & 0x3333333333333333ull) + (v >> 2 & 0x3333333333333333ull);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned int)(v * 0x0101010101010101ull >> 56);
}

/* BT family: @a the bits, @b the index. Scans: @a the old destination, @b the source. */
struct hv_alu hv_alu_bits(unsigned int op, u64 a, u64 b, unsigned int size, u64 flags)
{
	u64 bit = 1ull << (b & (8 * size - 1)), src = b & size_mask(size);
	struct hv_alu r = { a, flags };

	switch (op) {
	case HV_INSN_OP_BT: case HV_INSN_OP_BTS: case HV_INSN_OP_BTR: case HV_INSN_OP_BTC:
		r.flags = (flags & ~CF) | (a & bit ? CF : 0);
		if (op == HV_INSN_OP_BTS)
			r.val = a | bit;
		else if (op == HV_INSN_OP_BTR)
			r.val = a & ~bit;
		else if (op == HV_INSN_OP_BTC)
			r.val = a ^ bit;
		break;
	case HV_INSN_OP_BSF: case HV_INSN_OP_BSR:
		r.flags = (flags & ~ZF) | (src ? 0 : ZF);
		if (src)
			r.val = op == HV_INSN_OP_BSF ? bit_low(src) : bit_high(src);
		break;
	case HV_INSN_OP_TZCNT: case HV_INSN_OP_LZCNT:
		r.val = 8 * size;
		if (src)
			r.val = op == HV_INSN_OP_TZCNT ? bit_low(src) : 8 * size - 1 - bit_high(src);
		r.flags = (flags & ~(CF | ZF)) | (src ? 0 : CF) | (r.val ? 0 : ZF);
		break;
	default:		/* POPCNT */
		r.val = bit_count(src);
		r.flags = (flags & ~ARITH) | (src ? 0 : ZF);
		break;
	}
	return r;
}

struct hv_alu hv_alu_mul(bool is_signed, u64 a, u64 b, unsigned int size, u64 flags, u64 *high)
{
	unsigned __int128 p;
	u64 low;
	bool wide;

	if (is_signed) {
		p = (unsigned __int128)((__int128)(s64)sign_extend(a, size) *
					(s64)sign_extend(b, size));
		low = (u64)p & size_mask(size);
		wide = p != (unsigned __int128)(__int128)(s64)sign_extend(low, size);
	} else {
		p = (unsigned __int128)(a & size_mask(size)) * (b & size_mask(size));
		low = (u64)p & size_mask(size);
		wide = p >> (8 * size) != 0;
	}
	*high = (u64)(p >> (8 * size)) & size_mask(size);
	flags = (flags & ~ARITH) | (szp(low, size) & (SF | PF)) | (wide ? CF | OF : 0);
	return (struct hv_alu){ low, flags };
}

struct hv_alu hv_alu_imul(u64 a, u64 b, unsigned int size, u64 flags)
{
	u64 high;

	return hv_alu_mul(true, a, b, size, flags, &high);
}

/* 128 by 64 bits; @high < @by, so the quotient fits. */
static u64 divide(u64 high, u64 low, u64 by, u64 *rem)
{
	unsigned int i;
	bool carry;

	if (!high) {
		*rem = low % by;
		return low / by;
	}
	for (i = 0; i < 64; i++) {
		carry = high >> 63;
		high = high << 1 | low >> 63;
		low <<= 1;
		if (carry || high >= by) {
			high -= by;
			low |= 1;
		}
	}
	*rem = high;
	return low;
}

bool hv_alu_div(bool is_signed, u64 *low, u64 *high, u64 by, unsigned int size)
{
	u64 mask = size_mask(size), lo = *low & mask, hi = *high & mask, quot, rem;
	bool neg = is_signed && (hi & sign_bit(size));
	bool neg_by = is_signed && (by & sign_bit(size));

	by = (neg_by ? 0 - by : by) & mask;
	if (neg) {		/* negate the double-width dividend */
		lo = (0 - lo) & mask;
		hi = (~hi + !lo) & mask;
	}
	if (!by || hi >= by)
		return false;
	if (size < 8) {
		u64 whole = hi << (8 * size) | lo;

		quot = whole / by;
		rem = whole % by;
	} else {
		quot = divide(hi, lo, by, &rem);
	}
	if (is_signed) {
		if (quot > sign_bit(size) - (neg == neg_by))
			return false;
		quot = neg != neg_by ? 0 - quot : quot;
		rem = neg ? 0 - rem : rem;
	}
	*low = quot & mask;
	*high = rem & mask;
	return true;
}

static struct hv_alu adjust_decimal(bool sub_op, u64 ax, u64 flags)
{
	u8 al = (u8)ax, old = al;
	bool carry = flags & CF;
	u64 f = 0;

	if ((al & 15) > 9 || (flags & AF)) {
		if (sub_op ? old < 6 : old > 0xf9)
			f |= CF;
		al = (u8)(sub_op ? al - 6 : al + 6);
		f |= AF;
		if (carry)
			f |= CF;
	}
	if (old > 0x99 || carry) {
		al = (u8)(sub_op ? al - 0x60 : al + 0x60);
		f |= CF;
	} else if (!sub_op) {
		f &= ~CF;
	}
	return (struct hv_alu){ merge(ax, al, 1), (flags & ~ARITH) | f | szp(al, 1) };
}

static struct hv_alu adjust_ascii(bool sub_op, u64 ax, u64 flags)
{
	u16 v = (u16)ax;
	u64 f = 0;

	if ((v & 15) > 9 || (flags & AF)) {
		v = (u16)(sub_op ? v - 0x106 : v + 0x106);
		f = AF | CF;
	}
	v &= 0xff0f;
	return (struct hv_alu){ merge(ax, v, 2), (flags & ~ARITH) | f | szp(v, 1) };
}

/* AAA, AAS, DAA, DAS, AAD, AAM (the divisor is checked before). @ax is all of rAX. */
struct hv_alu hv_alu_decimal(unsigned int op, u64 ax, u8 imm, u64 flags)
{
	u8 al = (u8)ax, ah = (u8)(ax >> 8);

	switch (op) {
	case HV_INSN_OP_DAA: case HV_INSN_OP_DAS:
		return adjust_decimal(op == HV_INSN_OP_DAS, ax, flags);
	case HV_INSN_OP_AAA: case HV_INSN_OP_AAS:
		return adjust_ascii(op == HV_INSN_OP_AAS, ax, flags);
	case HV_INSN_OP_AAM:
		ah = al / imm;
		al = al % imm;
		break;
	default:		/* AAD */
		al = (u8)(al + ah * imm);
		ah = 0;
		break;
	}
	return (struct hv_alu){ merge(ax, (u64)ah << 8 | al, 2), (flags & ~ARITH) | szp(al, 1) };
}

bool hv_alu_condition(u64 flags, unsigned int cc)
{
	bool lt = !!(flags & SF) != !!(flags & OF), yes;

	switch (cc >> 1) {
	case 0:
		yes = flags & OF;
		break;
	case 1:
		yes = flags & CF;
		break;
	case 2:
		yes = flags & ZF;
		break;
	case 3:
		yes = flags & (CF | ZF);
		break;
	case 4:
		yes = flags & SF;
		break;
	case 5:
		yes = flags & PF;
		break;
	case 6:
		yes = lt;
		break;
	default:
		yes = lt || (flags & ZF);
		break;
	}
	return yes != (cc & 1);
}

u64 hv_alu_swap(u64 val, unsigned int size)
{
	if (size == 2)
		return (u64)__builtin_bswap16((u16)val);
	if (size == 4)
		return __builtin_bswap32((u32)val);
	return __builtin_bswap64(val);
}
