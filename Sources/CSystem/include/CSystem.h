/// System calls that Swift's C library overlay does not show.
#ifndef CSYSTEM_H
#define CSYSTEM_H

/// Exchanges two paths in one step. 0, or -1 with errno; -1 and ENOSYS where the system cannot.
int unroll_exchange(const char *first, const char *second);

#endif
