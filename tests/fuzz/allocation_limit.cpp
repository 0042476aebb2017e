// SPDX-License-Identifier: LGPL-3.0-or-later
#include "allocation_limit.hpp"

#include <stdio.h>
#include <stdlib.h>

#include <atomic>
#include <limits>
#include <new>

namespace {

std::atomic<std::size_t> limit{std::numeric_limits<std::size_t>::max()};

void* allocate(std::size_t size, std::size_t alignment) {
    if (size > limit) {
        ::fprintf(stderr, "%zu bytes are allocated at once, and %zu are allowed\n", size, limit.load());
        ::abort();
    }
    const auto rounded = [&] { return (size + alignment - 1) / alignment * alignment; };
    void* const found =
        alignment == 0 ? ::malloc(size == 0 ? 1 : size) : ::aligned_alloc(alignment, rounded());
    if (!found) throw std::bad_alloc();
    return found;
}

}  // namespace

void coromd::fuzz::limit_allocations(std::size_t bytes) {
    limit = bytes;
}

void* operator new(std::size_t size) {
    return allocate(size, 0);
}
void* operator new[](std::size_t size) {
    return allocate(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
    ::free(memory);
}
void operator delete[](void* memory) noexcept {
    ::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    ::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    ::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    ::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    ::free(memory);
}
