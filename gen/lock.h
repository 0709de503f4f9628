/* One run at a time in an emitted directory. */
#ifndef DAAGEN_LOCK_H
#define DAAGEN_LOCK_H

/* Makes DIRECTORY, where it is not there, and holds it until the program ends. A file system without locks is used
 * without. */
void lock_take(const char *directory);

#endif
