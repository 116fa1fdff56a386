/** Seeds that have once found something, and what. They are carried out always, whatever else is. */
export const knownSeeds: readonly { readonly seed: number; readonly found: string }[] = [
  { seed: 20, found: 'two runs begun of one wish, when nobody heard that the first was accepted' },
  { seed: 69, found: 'a zombie that writes, where the store fences nobody' },
  { seed: 120, found: 'a group that succeeds with half of its successes' },
  { seed: 122, found: 'appends that overtook each other on a way that had been cut' },
  { seed: 145, found: 'a takeover whose answer was lost: the owner does not know that it is' },
  {
    seed: 813,
    found: 'a process that waited for a real disk at its end, while virtual time went on',
  },
  { seed: 3357, found: 'the same as 813' },
  { seed: 495, found: 'a start that is too early by a clock that jumped' },
];
