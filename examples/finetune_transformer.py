"""Fine-tunes a transformer in the array that was trained in float32: a language model of characters.

    PYTHONPATH=python python3 -m examples.finetune_transformer --config safe2

It learns the pages of docs/ by PyTorch, then docs/contract.md twice from the same weights: in float32, and with every
product of its layers, forward and backward, in the array."""
import copy
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional

import daa.torch
from common import command
from examples.train_cnn import configured, count

DOCS = command.ROOT / "docs"
LENGTH, WIDTH = 64, 64  # characters that it sees, channels


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters, self.places = nn.Embedding(128, WIDTH), nn.Embedding(LENGTH, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.body, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(WIDTH, 128)

    def forward(self, x):
        length = x.shape[1]
        hidden = torch.full((length, length), float("-inf")).triu(1)
        return self.head(self.body(self.letters(x) + self.places.weight[:length], hidden))


def characters(paths):
    try:
        text = "".join(path.read_text(encoding="utf-8") for path in paths)
    except (OSError, UnicodeDecodeError) as error:
        raise command.Failed(f"the text cannot be read ({error}); it must be files of UTF-8") from None
    if len(text) <= LENGTH:
        raise command.Failed(f"the text has {len(text)} characters; it must have more than {LENGTH}")
    return torch.tensor([min(ord(letter), 127) for letter in text])


def losses(model, text, steps, batch, seed, rate):
    """Trains; the loss of every step."""
    pick, optimizer, found = torch.Generator().manual_seed(seed), torch.optim.AdamW(model.parameters(), rate), []
    for _ in range(steps):
        starts = torch.randint(len(text) - LENGTH, (batch,), generator=pick)
        rows = torch.stack([text[start:start + LENGTH + 1] for start in starts])
        loss = functional.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(float(loss))
    return found


def main():
    parser = command.Parser(description=__doc__.split("\n")[0])
    parser.add_argument("--config", default="safe2", help="a named configuration or a daa.json (default safe2)")
    parser.add_argument("--text", type=pathlib.Path, nargs="+", default=sorted(DOCS.glob("*.md")), help="to begin with")
    parser.add_argument("--onto", type=pathlib.Path, default=DOCS / "contract.md", help="to fine-tune on")
    parser.add_argument("--steps", type=count, default=300, help="of training in float32 (default 300)")
    parser.add_argument("--tune", type=count, default=100, help="of fine-tuning (default 100)")
    parser.add_argument("--batch", type=count, default=16)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config = configured(arguments.config)
    torch.manual_seed(arguments.seed)
    model, text, onto = Language(), characters(arguments.text), characters([arguments.onto])
    losses(model, text, arguments.steps, arguments.batch, arguments.seed, 3e-3)
    array = daa.torch.convert(copy.deepcopy(model), config, strict=True)
    print(daa.torch.summary(array))
    for name, one in (("float32", model), ("in the array", array)):
        found = losses(one, onto, arguments.tune, arguments.batch, arguments.seed + 1, 1e-3)
        last = found[-10:]
        print(f"{name}: loss {found[0]:.3f} at first, {sum(last) / len(last):.3f} over the last {len(last)} steps",
              flush=True)


if __name__ == "__main__":
    sys.exit(command.main("finetune_transformer", main))
