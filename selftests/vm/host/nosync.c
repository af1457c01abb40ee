// SPDX-License-Identifier: GPL-2.0-or-later
/* Loaded before libc: a host whose syncs do nothing, to see that tests of power cuts notice. */
int fdatasync(int fd);
int fsync(int fd);

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	return 0;
}
