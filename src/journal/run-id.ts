const runIdForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/**
 * Whether the text can name a run: letters, digits, `-` and `_`, at most 128, beginning with a letter or
 * digit. It becomes the name of a folder and a token of subjects.
 */
export function isRunId(text: string): boolean {
  return runIdForm.test(text);
}
