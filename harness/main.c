// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"
#include "vm-images/programs.h"

int main(int argc, char **argv)
{
	/* Without a cache there are none; whoever needs the cache says so. */
	programs_use(NULL);
	return command_main(argc, argv);
}
