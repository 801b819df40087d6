// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exfat-loop IMAGE: write an exFAT image of 2 MiB whose root directory never ends: its cluster is its own
 * successor in the FAT, and holds deleted entries only.
 * exfat-loop DEVICE FOLDER: mount it there; mount(8) would hide the error of mount(2).
 *
 * Layout (Microsoft's exFAT specification, section 3): sectors of 512 bytes, clusters of 8 sectors; boot
 * region and its backup at 0 and 12, one FAT of 32 sectors at 24, clusters from 64 on, numbered from 2.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define SECTOR	     512
#define SECTORS	     4096
#define BOOT_SECTORS 12
#define FAT_START    24
#define FAT_SECTORS  32
#define HEAP_START   64
#define CLUSTER	     (8 * SECTOR)
#define ROOT	     4
#define DELETED_FILE 0x05

static unsigned char image[SECTORS * SECTOR];

static void put32(size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		image[at + i] = value >> 8 * i & 0xff;
}

static void make_boot_sector(void)
{
	static const unsigned char jump[] = {0xeb, 0x76, 0x90};

	memcpy(image, jump, sizeof(jump));
	memcpy(image + 3, "EXFAT   ", 8);
	put32(72, SECTORS); /* VolumeLength, 64 bits */
	put32(80, FAT_START);
	put32(84, FAT_SECTORS);
	put32(88, HEAP_START);
	put32(92, (SECTORS - HEAP_START) * SECTOR / CLUSTER); /* ClusterCount */
	put32(96, ROOT);				      /* FirstClusterOfRootDirectory */
	put32(100, 0x20250901);				      /* VolumeSerialNumber */
	image[105] = 1;					      /* FileSystemRevision 1.00 */
	image[108] = 9;					      /* BytesPerSectorShift */
	image[109] = 3;					      /* SectorsPerClusterShift */
	image[110] = 1;					      /* NumberOfFats */
	image[111] = 0x80;				      /* DriveSelect */
	image[112] = 0xff;				      /* PercentInUse: unknown */
	for (size_t sector = 0; sector <= 8; sector++) {
		image[sector * SECTOR + 510] = 0x55;
		image[sector * SECTOR + 511] = 0xaa;
	}
}

/* Sector 11 holds the checksum of those before it, without VolumeFlags and PercentInUse. */
static void make_checksum(void)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 11 * SECTOR; i++)
		if (i != 106 && i != 107 && i != 112)
			sum = (sum & 1 ? 0x80000000U : 0) + (sum >> 1) + image[i];
	for (size_t i = 0; i < SECTOR; i += 4)
		put32(11 * SECTOR + i, sum);
	memcpy(image + BOOT_SECTORS * SECTOR, image, BOOT_SECTORS * SECTOR);
}

static void make_endless_root(void)
{
	size_t root = HEAP_START * SECTOR + (ROOT - 2) * CLUSTER;

	put32(FAT_START * SECTOR, 0xfffffff8); /* media descriptor */
	put32(FAT_START * SECTOR + 4, 0xffffffff);
	put32(FAT_START * SECTOR + 4 * ROOT, ROOT);
	for (size_t entry = root; entry < root + CLUSTER; entry += 32)
		image[entry] = DELETED_FILE;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int write_image(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return fail(path);
	make_boot_sector();
	make_checksum();
	make_endless_root();
	return fwrite(image, sizeof(image), 1, file) != 1 || fclose(file) ? fail(path) : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return write_image(argv[1]);
	if (argc != 3)
		return 1;
	return mount(argv[1], argv[2], "exfat", MS_RDONLY, NULL) ? fail("mount") : 0;
}
