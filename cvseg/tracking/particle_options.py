"""`ParticleOptions`: how a particle filter moves, weighs and loses its particles."""

from __future__ import annotations

from dataclasses import dataclass

from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class ParticleOptions(Options):
    """Settings of `ParticleFilter`. Lengths are in sizes of the target, the square root of its area."""

    particles: int = option(300, "guesses about the target; more are steadier and take longer", low=10, high=1_000_000)
    layers: int = option(
        2, "times a frame the particles are weighed, each time with less noise; 1 is the plain filter", low=1, high=8
    )
    parts: int = option(5, "horizontal bands with a histogram each; 1 looks at the colours as a whole", low=1, high=8)
    sharpness: float = option(
        40.0, "weight of the colours' likeness: exp(-sharpness d^2); larger trusts the best particles more", low=0
    )
    contrast: float = option(
        6.0, "weight of the foreground inside against the ring around; larger holds the size more", low=0
    )
    detail: float = option(
        10.0, "weight of the colours of single points; larger places the box better, and bears less turning", low=0
    )
    position_noise: float = option(0.10, "noise of the centre per frame; larger follows sudden moves", low=1e-4)
    velocity_gain: float = option(
        0.3, "share of that noise which goes on as velocity; larger turns faster, and less calmly", low=0, high=1
    )
    damping: float = option(0.9, "velocity kept per frame; 1 goes straight on", low=0, high=1)
    scale_noise: float = option(0.03, "noise of the log size per frame; larger follows zooming targets", low=0)
    aspect_noise: float = option(0.02, "noise of the log of width over height per frame", low=0)
    aspect_return: float = option(0.02, "pull of the proportions to those of the start, per frame", low=0, high=1)
    learning_rate: float = option(
        0.05, "share of a new picture in the remembered colours when it is certain; 0 never learns", low=0, high=1
    )
    point_rate: float = option(0.1, "the same for the colours of single points", low=0, high=1)
    first_share: float = option(
        0.5, "share of the start in the remembered colours for ever; larger cannot drift away as far", low=0, high=1
    )
    certain: float = option(0.7, "confidence from which colours are learned; larger learns less", low=0, high=1)
    occluded: float = option(
        0.4, "confidence below which the target counts as hidden; larger gives up sooner", low=0, high=1
    )
    found: float = option(
        0.6, "confidence from which a hidden target counts as found; larger is surer and later", low=0, high=1
    )
    hidden_noise: float = option(0.06, "noise of the velocity when hidden: how fast the cloud spreads", low=0)
    reach: float = option(0.25, "how far a hidden target may be farther off with every frame", low=0)
    lost_after: int = option(60, "frames hidden after which it counts as lost and is looked for everywhere", low=1)
