"""The networks of the studies, and what belongs to each: its batch, its optimizer, what it sees."""
import math
from typing import Callable, NamedTuple

import torch
import torchvision
from torch import nn
from torch.nn import functional

from train import data
from train.data import CLASSES

# ---- on images ----


def resnet18(channels):
    """torchvision's ResNet-18 as it is; only the input channels and the classes are those of the data."""
    model = torchvision.models.resnet18(weights=None, num_classes=CLASSES)
    if channels != 3:
        first = model.conv1
        model.conv1 = nn.Conv2d(channels, first.out_channels, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    return model


def vgg7(channels, width=32):
    """Six 3x3 convolutions in three stages with batch normalisation, mean over the image, one linear layer: 0.29 million
    parameters at the default width."""
    layers, inputs = [], channels
    for stage in range(3):
        outputs = width << stage
        for _ in range(2):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        if stage < 2:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES))


class Residual(nn.Module):
    """Two 3x3 convolutions, and the input added to them, by a 1x1 convolution where the sizes differ."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(y + self.shortcut(x))


def small_resnet(channels, blocks, width, stride=1):
    """The form for small images: a first layer of 3x3 without pooling, then a stage for each number of BLOCKS, each with
    twice the channels and half the sides of the one before. STRIDE: of the first layer."""
    layers = [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    for stage, count in enumerate(blocks):
        outputs = width << stage
        for block in range(count):
            layers.append(Residual(outputs // 2 if stage and not block else outputs, outputs, 2 if stage and not block else 1))
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width << len(blocks) - 1, CLASSES))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


# ---- transformers ----

def float32_attention(query, key, value, is_causal):
    """What Attention has until train.arms.convert() gives it an arm's."""
    from daa.torch import scaled_dot_product_attention

    return scaled_dot_product_attention(query, key, value, is_causal=is_causal, config=None)


class Attention(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal, self.attend = heads, causal, float32_attention
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.out(self.attend(q, k, v, is_causal=self.causal).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    """Attention, then two linear layers, each added to its input, which is normalised first."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads, causal)
        self.norm2, self.linear1, self.linear2 = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.linear2(functional.gelu(self.linear1(self.norm2(x))))


def initialise(model, depth):
    """Weights as transformers start: normal, of 0.02; smaller where a block adds to its input."""
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            adds = name.endswith(("attention.out", "linear2"))
            nn.init.normal_(module.weight, std=0.02 / math.sqrt(2 * depth) if adds else 0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
    return model


class Vit(nn.Module):
    """A vision transformer on images of 32 x 32: patches of PATCH x PATCH, the mean of the last block's outputs."""

    def __init__(self, channels, patch, width, depth, heads, side=32):
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.places = nn.Parameter(0.02 * torch.randn((side // patch) ** 2, width))
        self.blocks = nn.Sequential(*(Block(width, heads, False) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, CLASSES)
        initialise(self, depth)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.places
        return self.head(self.norm(self.blocks(x)).mean(1))


class Gpt(nn.Module):
    """A language model on LETTERS different characters; it sees LENGTH of them."""

    def __init__(self, letters, length, width, depth, heads):
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads, True) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters)
        initialise(self, depth)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.letters(x) + self.places.weight[: x.shape[1]])))


# ---- the table ----

class Network(NamedTuple):
    build: Callable[[int], nn.Module]  # of the images' channels, or of the text's letters
    says: str
    batch: int = 128
    adam: bool = False  # AdamW; else SGD
    length: int = 0  # characters of text that it sees; 0: it sees images

    @property
    def sees(self):
        return "text" if self.length else "images"

    def detect(self, path):
        """The name of the data set at PATH that the network can learn."""
        return data.find_text(path).stem if self.length else data.detect(path)

    def load(self, path):
        return data.load_text(path, self.length) if self.length else data.load(path)


MODELS = {
    "resnet18": Network(resnet18, "torchvision's ResNet-18"),
    "vgg7": Network(vgg7, "six 3x3 convolutions"),
    "resnet18-cifar": Network(lambda channels: small_resnet(channels, (2, 2, 2, 2), 64),
                              "ResNet-18 with a first layer of 3x3 and no pooling behind it"),
    "resnet18-narrow": Network(lambda channels: small_resnet(channels, (2, 2, 2, 2), 16, stride=2),
                               "the same of 16 to 128 channels, its first layer of stride 2", 64),
    "resnet20": Network(lambda channels: small_resnet(channels, (3, 3, 3), 16), "ResNet-20: 16 to 64 channels"),
    "resnet20-stride": Network(lambda channels: small_resnet(channels, (3, 3, 3), 16, stride=2),
                               "the same, its first layer of stride 2", 64),
    "vit": Network(lambda channels: Vit(channels, 4, 192, 6, 6), "vision transformer: patches of 4 x 4, 6 blocks of 192", 128, True),
    "vit-small": Network(lambda channels: Vit(channels, 4, 64, 4, 4), "vision transformer: patches of 4 x 4, 4 blocks of 64", 64, True),
    "gpt": Network(lambda letters: Gpt(letters, 128, 256, 6, 8), "GPT on characters: 128 of them, 6 blocks of 256", 64, True, 128),
    "gpt-small": Network(lambda letters: Gpt(letters, 64, 128, 4, 4), "GPT on characters: 64 of them, 4 blocks of 128", 16, True, 64),
}


def build(name, inputs, seed):
    """The model as the seed initialises it."""
    torch.manual_seed(seed)
    return MODELS[name].build(inputs)
