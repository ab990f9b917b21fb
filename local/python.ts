import { CommandFailed } from '../cli/terminal/errors';
import { ensurePython } from './run/python';

// For the Makefile: installs the given requirement files into the project's virtual environment.
ensurePython(process.argv.slice(2), new AbortController().signal).catch((error: unknown) => {
  console.error(error instanceof CommandFailed ? `${error.message}\n${error.details}\n${error.remedy}` : error);
  process.exitCode = 1;
});
