;; AdamW on four weights at a time. `npm run build:kernel` assembles this text into adamw-wasm.ts; a test compares the two.
(module
  ;; Blocks of weights, gradients and both moments lie here one after the other; the host copies them in and out.
  (memory (export "memory") 2)
  (func (export "update")
    ;; Where each block begins, and its length; all in bytes, the length a multiple of 16.
    (param $weights i32) (param $gradients i32) (param $firsts i32) (param $seconds i32) (param $length i32)
    (param $gradientScale f32) (param $beta1 f32) (param $rest1 f32) (param $beta2 f32) (param $rest2 f32)
    (param $stepSize f32) (param $secondCorrection f32) (param $epsilon f32) (param $decay f32)
    (local $at i32)
    (local $slope v128) (local $mean v128) (local $square v128) (local $weight v128)
    (loop $four
      ;; slope = gradient · gradientScale
      (local.set $slope (f32x4.mul
        (v128.load (i32.add (local.get $gradients) (local.get $at)))
        (f32x4.splat (local.get $gradientScale))))
      ;; mean = β₁ · first + (1 − β₁) · slope
      (local.set $mean (f32x4.add
        (f32x4.mul (v128.load (i32.add (local.get $firsts) (local.get $at))) (f32x4.splat (local.get $beta1)))
        (f32x4.mul (local.get $slope) (f32x4.splat (local.get $rest1)))))
      ;; square = β₂ · second + (1 − β₂) · slope²
      (local.set $square (f32x4.add
        (f32x4.mul (v128.load (i32.add (local.get $seconds) (local.get $at))) (f32x4.splat (local.get $beta2)))
        (f32x4.mul (f32x4.mul (local.get $slope) (local.get $slope)) (f32x4.splat (local.get $rest2)))))
      (v128.store (i32.add (local.get $firsts) (local.get $at)) (local.get $mean))
      (v128.store (i32.add (local.get $seconds) (local.get $at)) (local.get $square))
      ;; weight −= weight · decay + stepSize · mean / (√square · secondCorrection + ε)
      (local.set $weight (v128.load (i32.add (local.get $weights) (local.get $at))))
      (v128.store (i32.add (local.get $weights) (local.get $at))
        (f32x4.sub (local.get $weight)
          (f32x4.add
            (f32x4.mul (local.get $weight) (f32x4.splat (local.get $decay)))
            (f32x4.div
              (f32x4.mul (local.get $mean) (f32x4.splat (local.get $stepSize)))
              (f32x4.add
                (f32x4.mul (f32x4.sqrt (local.get $square)) (f32x4.splat (local.get $secondCorrection)))
                (f32x4.splat (local.get $epsilon)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $four (i32.lt_u (local.get $at) (local.get $length))))))
