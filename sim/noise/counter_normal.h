// Normal numbers that are looked up, not drawn.
#ifndef LIVND_SIM_NOISE_COUNTER_NORMAL_H_
#define LIVND_SIM_NOISE_COUNTER_NORMAL_H_

#include <cstdint>

namespace livnd::sim {

// The standard normal number `index` of a stream: a function of its arguments alone, of the same bits everywhere.
// Purposes keep apart what is made of one seed. Philox 4x32-10 (Salmon et al., SC 2011) with the seed and the purpose
// as key and counter words [index low, index high, stream, attempt]; the first pair of words within the unit circle
// gives the number by the polar method.
double CounterNormal(uint64_t seed, uint32_t purpose, uint32_t stream, uint64_t index);

}  // namespace livnd::sim

#endif  // LIVND_SIM_NOISE_COUNTER_NORMAL_H_
