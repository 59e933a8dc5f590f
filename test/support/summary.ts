// Closes every test run with one plain line, `N passed, N failed, N skipped`, that a script can read.
import type { Reporter, TestModule } from 'vitest/node';

export function summary(): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[], unhandledErrors) {
      const counts = { passed: 0, failed: 0, skipped: 0 };
      for (const module of modules) {
        let tests = 0;
        for (const test of module.children.allTests()) {
          tests += 1;
          const { state } = test.result();
          if (state === 'passed') counts.passed += 1;
          else if (state === 'failed') counts.failed += 1;
          else counts.skipped += 1;
        }
        // A file that could not even be collected has failed, though it holds no test.
        if (module.state() === 'failed' && (tests === 0 || module.errors().length > 0)) counts.failed += 1;
      }
      counts.failed += unhandledErrors.length;
      process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    },
  };
}
