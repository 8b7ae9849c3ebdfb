/** The database was made by other files than those that are here. */
export class SchemaDiffers extends Error {}

/** The exit code of a migrator that found so: EX_DATAERR of sysexits.h. */
export const SCHEMA_DIFFERS = 65;
