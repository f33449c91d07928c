from __future__ import annotations

import numpy as np
import pytest
from livnd._proto import pb
from livnd.errors import LivndError
from livnd.tensors import Layout, decode, encode


@pytest.mark.parametrize("dtype", ["bool", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_an_array_survives_the_wire(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    tensor = pb.Tensor.FromString(encode(array, dtype).SerializeToString())
    for result in (decode(tensor), Layout(dtype, shape).decode(tensor)):
        assert result.dtype == array.dtype and result.shape == array.shape
        np.testing.assert_array_equal(result, array)
        assert result.flags.owndata and result.flags.writeable


def test_a_tensor_of_another_layout_is_what_it_says():
    layout = Layout(np.float64, (2,))
    assert layout.decode(encode([1, 2, 3], np.float64)).tolist() == [1.0, 2.0, 3.0]
    assert layout.decode(encode([1, 2], np.int64)).dtype == np.int64
    with pytest.raises(LivndError, match="7 bytes"):
        layout.decode(pb.Tensor(dtype=pb.DATA_TYPE_FLOAT64, shape=[2], data=b"1234567"))


def test_bytes_are_little_endian_in_c_order():
    tensor = encode(np.array([[1, 2], [3, 4]], dtype=">i8", order="F"), np.int64)
    assert tensor.data == b"".join(n.to_bytes(8, "little") for n in (1, 2, 3, 4))


def test_the_largest_seed_is_exact():
    assert decode(encode([2**64 - 1], np.uint64))[0] == 2**64 - 1


def test_a_tensor_that_contradicts_itself_is_refused():
    with pytest.raises(LivndError, match="7 bytes"):
        decode(pb.Tensor(dtype=pb.DATA_TYPE_FLOAT32, shape=[2], data=b"1234567"))
    with pytest.raises(LivndError, match="dtype 99"):
        decode(pb.Tensor(dtype=99, shape=[2], data=b"12"))
