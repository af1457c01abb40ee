// SPDX-License-Identifier: GPL-2.0-or-later
/* The seed of cloud-init, as a reader of ISO 9660 and Joliet of the test's own sees it. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "seed/iso.h"
#include "selftests/unit/lib/unit.h"

static uint32_t le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The file @name of the tree whose descriptor is in sector @at; NULL: none. */
static const uint8_t *find(const uint8_t *image, size_t len, unsigned int at, const char *name, uint32_t *bytes)
{
	const uint8_t *root = image + at * 2048 + 156, *p = image + le32(root + 2) * 2048ul, *end = p + le32(root + 10);
	size_t n = strlen(name);

	CHECK(end <= image + len);
	for (; p < end && *p; p += *p) {
		bool same = p[32] == (at == 17 ? 2 * n : n);

		for (size_t i = 0; same && i < n; i++)
			same = (at == 17 ? p[34 + 2 * i] : p[33 + i]) == (uint8_t)name[i];
		if (!same)
			continue;
		*bytes = le32(p + 10);
		CHECK(le32(p + 2) * 2048ul + *bytes <= len);
		return image + le32(p + 2) * 2048ul;
	}
	return NULL;
}

static void test_image(void)
{
	static char big[5000];
	const struct iso_file f[] = { { "meta-data", "id: 1\n", 6 }, { "network-config", "", 0 },
				      { "user-data", big, sizeof(big) } };
	const uint8_t *at;
	uint8_t *image;
	uint32_t n;
	size_t len;

	memset(big, 'x', sizeof(big));
	CHECK_EQ(iso_make("cidata", f, 3, &image, &len), 0);
	CHECK(!(len % 2048) && le32(image + 16 * 2048 + 80) == len / 2048);
	for (unsigned int s = 16; s < 19; s++)
		CHECK(!memcmp(image + s * 2048 + 1, "CD001", 5));
	CHECK(image[16 * 2048] == 1 && image[17 * 2048] == 2 && image[18 * 2048] == 255);
	CHECK(!memcmp(image + 16 * 2048 + 40, "cidata  ", 8));
	CHECK(!memcmp(image + 17 * 2048 + 40, "\0c\0i\0d\0a\0t\0a\0 ", 14));
	at = find(image, len, 17, "user-data", &n);
	CHECK(at && n == sizeof(big) && !memcmp(at, big, n));
	at = find(image, len, 17, "meta-data", &n);
	CHECK(at && n == 6 && !memcmp(at, "id: 1\n", 6));
	at = find(image, len, 17, "network-config", &n);
	CHECK(at && !n);
	at = find(image, len, 16, "USER-DATA.;1", &n);
	CHECK(at && n == sizeof(big));
	CHECK(!find(image, len, 17, "none", &n));
	free(image);
}

static void test_refused(void)
{
	const struct iso_file wrong[] = { { "b", "", 0 }, { "a", "", 0 } };
	const struct iso_file big = { "a", "", ISO_FILE_MAX + 1 };
	uint8_t *image;
	size_t len;

	CHECK_EQ(iso_make("cidata", wrong, 2, &image, &len), -EINVAL);
	CHECK_EQ(iso_make("a label too long for it", wrong, 1, &image, &len), -EINVAL);
	CHECK_EQ(iso_make("cidata", wrong, 0, &image, &len), -EINVAL);
	CHECK_EQ(iso_make("cidata", &big, 1, &image, &len), -E2BIG);
}

int main(void)
{
	test_image();
	test_refused();
	return unit_done();
}
