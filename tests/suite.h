/* A CUnit suite in one table: `static const CU_TestInfo tests[] = {{"name", function}, ...,
 * CU_TEST_INFO_NULL}` and `int main(void) { return suite_run("room", tests); }`. Exit code 1 if any assertion
 * failed. */
#ifndef TULK_TESTS_SUITE_H
#define TULK_TESTS_SUITE_H

#include <CUnit/Basic.h>
#include <math.h>
#include <stdio.h>

static inline int suite_run(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = {{name, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS) return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}

#endif
