//! Engine files: the only module that knows fjall and the file system.
