"""PyTorch's recurrent layers and cells with the GEMMs of the contract: A = inputs or states, B = weights. The inputs of
all steps are one GEMM; the states of each step are one, and so are its gradients, which are added up in float32."""
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from ._layers import Layer, as_float32, linear_product
from ._library import Error


# ---- a step: from the products with the inputs and with the state, biases added, to the next state ----

def _lstm(module, x, h, state):
    i, f, g, o = (x + h).chunk(4, -1)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _gru(module, x, h, state):
    (x_r, x_z, x_n), (h_r, h_z, h_n) = x.chunk(3, -1), h.chunk(3, -1)
    z, n = torch.sigmoid(x_z + h_z), torch.tanh(x_n + torch.sigmoid(x_r + h_r) * h_n)
    return (n + z * (state[0] - n),)


def _rnn(module, x, h, state):
    return ((torch.tanh if module.nonlinearity == "tanh" else torch.relu)(x + h),)


class _Steps(Layer):
    """What layers and cells share: products with a weight, found by its name."""

    def _times(self, x, weight, bias=None):
        y = linear_product(self, x, as_float32(self.label, weight, getattr(self, weight)), self.label)
        return y + getattr(self, bias) if bias and self.bias else y

    def _next(self, x, state, suffix):
        """x: the products with the inputs."""
        h = self._times(state[0], f"weight_hh{suffix}", f"bias_hh{suffix}")
        return self.step(x, h, state)

    def _taken(self, tensors):
        return tuple(as_float32(self.label, "state", x) for x in tensors)


# ---- layers ----

class _Layer(_Steps):
    def _direction(self, x, sizes, state, suffix, back):
        """Rows of one direction of one layer, step after step, SIZES of them in each: sequences in order of length.
        Its rows of results, and each sequence's last state."""
        x = self._times(x, f"weight_ih{suffix}", f"bias_ih{suffix}").split(sizes)
        first, outputs, ended = state, [], []
        state = tuple(s[:sizes[-1]] for s in state) if back else state
        for rows in reversed(x) if back else x:
            there, now = len(state[0]), len(rows)
            if now > there:
                state = tuple(torch.cat([s, f[there:now]]) for s, f in zip(state, first))
            elif now < there:
                ended.append(tuple(s[now:] for s in state))
                state = tuple(s[:now] for s in state)
            state = self._next(rows, state, suffix)
            if getattr(self, "proj_size", 0):
                state = (self._times(state[0], f"weight_hr{suffix}"), *state[1:])
            outputs.append(state[0])
        last = tuple(torch.cat(parts) if ended else parts[0] for parts in zip(state, *reversed(ended)))
        return torch.cat(outputs[::-1] if back else outputs), last

    def _all_layers(self, x, sizes, states):
        """STATES: of each kind (layers * directions, sequences, sizes)."""
        directions, lasts = 2 if self.bidirectional else 1, []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training)
            outputs = []
            for back in range(directions):
                at, suffix = layer * directions + back, f"_l{layer}{'_reverse' if back else ''}"
                y, last = self._direction(x, sizes, tuple(s[at] for s in states), suffix, bool(back))
                outputs.append(y)
                lasts.append(last)
            x = torch.cat(outputs, -1) if directions > 1 else outputs[0]
        return x, tuple(torch.stack(kind) for kind in zip(*lasts))

    def _zeros(self, batch, like):
        count = self.num_layers * (2 if self.bidirectional else 1)
        sizes = (getattr(self, "proj_size", 0) or self.hidden_size, self.hidden_size)
        return tuple(like.new_zeros(count, batch, size) for size in sizes[:2 if self.is_pair else 1])

    def forward(self, input, hx=None):
        given = input
        packed, batched = isinstance(given, PackedSequence), True
        x = as_float32(self.label, "input", given.data if packed else given)
        if packed:
            sizes, order = given.batch_sizes.tolist(), given.unsorted_indices
        else:
            batched = x.dim() == 3
            if x.dim() not in (2, 3):
                raise Error(f"{self.label} got {tuple(x.shape)}; it must be a batch of sequences, or one")
            x = x if batched else x[:, None]
            x = x.transpose(0, 1) if self.batch_first and batched else x
            if not x.shape[0]:
                raise Error(f"{self.label} got {tuple(given.shape)}, no step; it must have one or more")
            sizes, order = [x.shape[1]] * x.shape[0], None
        if hx is None:
            states = self._zeros(sizes[0], x)
        else:
            states = self._taken(hx if self.is_pair else (hx,))
            states = states if batched else tuple(s[:, None] for s in states)
            want = [tuple(s.shape) for s in self._zeros(sizes[0], x)]
            if [tuple(s.shape) for s in states] != want:
                raise Error(f"{self.label} got states of {', '.join(str(tuple(s.shape)) for s in states)}; they must be "
                            f"{', '.join(map(str, want))}")
            if packed and given.sorted_indices is not None:
                states = tuple(s.index_select(1, given.sorted_indices) for s in states)
        y, last = self._all_layers(x.reshape(-1, x.shape[-1]), sizes, states)
        if packed:
            y = PackedSequence(y, given.batch_sizes, given.sorted_indices, given.unsorted_indices)
        else:
            y = y.reshape(len(sizes), sizes[0], -1)
            y = y[:, 0] if not batched else y.transpose(0, 1) if self.batch_first else y
        if order is not None:
            last = tuple(s.index_select(1, order) for s in last)
        last = last if batched else tuple(s[:, 0] for s in last)
        return y, last if self.is_pair else last[0]


class LSTM(_Layer, nn.LSTM):
    """nn.LSTM whose GEMMs are the contract's."""
    step, is_pair = _lstm, True


class GRU(_Layer, nn.GRU):
    """nn.GRU whose GEMMs are the contract's."""
    step, is_pair = _gru, False


class RNN(_Layer, nn.RNN):
    """nn.RNN whose GEMMs are the contract's."""
    step, is_pair = _rnn, False


# ---- cells ----

class _Cell(_Steps):
    def forward(self, input, hx=None):
        x = as_float32(self.label, "input", input)
        batched = x.dim() == 2
        x = x if batched else x[None]
        states = (x.new_zeros(len(x), self.hidden_size),) * (2 if self.is_pair else 1)
        if hx is not None:
            states = self._taken(hx if self.is_pair else (hx,))
            states = states if batched else tuple(s[None] for s in states)
        if any(s.shape != (len(x), self.hidden_size) for s in states):
            raise Error(f"{self.label} got a state of {tuple(states[0].shape)}; it must be {(len(x), self.hidden_size)}")
        states = self._next(self._times(x, "weight_ih", "bias_ih"), states, "")
        states = states if batched else tuple(s[0] for s in states)
        return states if self.is_pair else states[0]


class LSTMCell(_Cell, nn.LSTMCell):
    """nn.LSTMCell whose GEMMs are the contract's."""
    step, is_pair = _lstm, True


class GRUCell(_Cell, nn.GRUCell):
    """nn.GRUCell whose GEMMs are the contract's."""
    step, is_pair = _gru, False


class RNNCell(_Cell, nn.RNNCell):
    """nn.RNNCell whose GEMMs are the contract's."""
    step, is_pair = _rnn, False


LAYERS = {base: ours for ours, base in (
    (LSTM, nn.LSTM), (GRU, nn.GRU), (RNN, nn.RNN), (LSTMCell, nn.LSTMCell), (GRUCell, nn.GRUCell), (RNNCell, nn.RNNCell))}
"""PyTorch's class -> ours."""
