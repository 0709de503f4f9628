"""The networks of the study."""
import torch
import torchvision
from torch import nn

from train.data import CLASSES


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


MODELS = {"resnet18": resnet18, "vgg7": vgg7}


def build(name, channels, seed):
    """The model as the seed initialises it."""
    torch.manual_seed(seed)
    return MODELS[name](channels)
