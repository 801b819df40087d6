// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare/git_answer.h"

int git_answer(enum outcome outcome, bool find_fixed)
{
	if (outcome != OUTCOME_SEEN && outcome != OUTCOME_CLEAN)
		return GIT_ANSWER_SKIP;
	return outcome != (find_fixed ? OUTCOME_SEEN : OUTCOME_CLEAN);
}
