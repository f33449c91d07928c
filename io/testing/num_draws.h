// How much a test of random inputs draws.
#ifndef LIVND_IO_TESTING_NUM_DRAWS_H_
#define LIVND_IO_TESTING_NUM_DRAWS_H_

namespace livnd::io {

// `usual`, or what the environment's variable says.
int NumDraws(const char* variable, int usual);

}  // namespace livnd::io

#endif  // LIVND_IO_TESTING_NUM_DRAWS_H_
