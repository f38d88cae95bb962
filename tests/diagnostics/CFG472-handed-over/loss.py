def smooth(outputs: object, batch: object, weight: float = 1.0) -> object:
    return outputs


def share(outputs: object) -> object:
    return outputs
