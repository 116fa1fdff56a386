/** Version of this engine, as journals name it; a test keeps it equal to package.json. */
export const engineVersion = '0.1.0';
