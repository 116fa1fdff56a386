/** Journals hold prompts and results: nobody else may look into their folders. */
export const folderMode = 0o700;

/** Nor into the files themselves. */
export const fileMode = 0o600;
